//! Runs and resets that break, at each command and each file in turn: the next
//! one mends what they left.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, thread};

use installer::engine::{orphan, reset};
use installer::install::Change;
use installer::role::Role;

use crate::node::kinds::{self, nodes};
use crate::node::{Fault, Node, Tree, difference};

/// A run that was disturbed, an undisturbed one, and the way back.
fn assert_mends(node: &Node, before: &Tree, whole: &Tree, of: &str) {
    node.apply(None).end.unwrap();
    assert_eq!(difference(&node.tree(), whole), BTreeSet::new(), "after {of}");
    node.assert_goes_back(before, of);
}

#[test]
fn whatever_command_fails_the_next_run_mends_it() {
    for node in nodes() {
        let whole = node();
        let made = whole.apply(None).commands.made();
        let whole = whole.tree();
        for (nth, command) in made.iter().enumerate() {
            for fault in [Fault::Refused(nth), Fault::Late(nth)] {
                let node = node();
                let before = node.tree();
                let error = format!("{:#}", node.apply(Some(fault)).end.unwrap_err());
                assert!(error.contains(command.as_str()), "{error}");
                assert_mends(&node, &before, &whole, &format!("{fault:?} of {command}"));
            }
        }
    }
}

#[test]
fn a_command_that_outlives_its_run_is_waited_for() {
    let command = "systemctl start containerd";
    let node = kinds::bare(Role::Worker);
    let made = node.apply(None).commands.made();
    let nth = made.iter().position(|one| one == command).unwrap();
    let node = kinds::bare(Role::Worker);
    node.apply(Some(Fault::Late(nth))).end.unwrap_err();
    let runs = |line: &str| {
        let folder = node.root().join("proc/77");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("cmdline"), line.replace(' ', "\0") + "\0").unwrap();
        folder
    };
    // Another's, and none that ran before it.
    for line in ["systemctl start docker", "start containerd", "systemctl enable containerd", ""] {
        runs(line);
        orphan::await_end(&node.look(None).0).unwrap();
    }
    for line in [
        command,
        "/usr/bin/python3 -s /usr/bin/systemctl start containerd",
        "systemctl stop containerd",
    ] {
        let (folder, has_ended) = (runs(line), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(300));
                has_ended.store(true, Ordering::SeqCst);
                fs::remove_dir_all(folder).unwrap();
            });
            orphan::await_end(&node.look(None).0).unwrap();
            assert!(has_ended.load(Ordering::SeqCst), "{line}");
        });
    }
}

#[test]
fn what_was_started_may_answer_late() {
    for node in nodes() {
        node().apply(Some(Fault::Slow)).end.unwrap();
    }
}

#[test]
fn a_reset_after_a_broken_run_goes_back_and_one_that_broke_can_be_run_again() {
    for node in nodes() {
        let made = node().apply(None).commands.made();
        for (nth, command) in made.iter().enumerate() {
            for fault in [Fault::Refused(nth), Fault::Late(nth)] {
                let broken = node();
                let before = broken.tree();
                broken.apply(Some(fault)).end.unwrap_err();
                broken.assert_goes_back(&before, &format!("{fault:?} of {command}"));

                let whole = node();
                whole.apply(None).end.unwrap();
                let mut host = whole.look(Some(fault)).0.open().unwrap();
                reset::reset(&mut host, &mut |_| ());
                drop(host);
                whole.assert_goes_back(&before, &format!("a reset with {fault:?}"));
            }
        }
    }
}

/// A node on which the run came to the file `path`, and the power was lost
/// while that was written.
fn cut_short(node: &dyn Fn() -> Node, path: &Path) -> Node {
    let node = node();
    // A folder that has the name of the file that is written first.
    let half = node.root().join(format!(".{}.kubeferry-new", path.display()));
    let folder = half.parent().unwrap();
    let was_there = folder.exists();
    fs::create_dir_all(&half).unwrap();
    node.apply(None).end.unwrap_err();
    fs::remove_dir(&half).unwrap();
    if was_there {
        fs::write(&half, "hal").unwrap();
    } else {
        // The receipt lies in one of them.
        drop(fs::remove_dir(folder));
    }
    node
}

#[test]
fn whatever_file_is_cut_short_the_next_run_mends_it_and_a_reset_goes_back() {
    for node in nodes() {
        let whole = node();
        let before = whole.tree();
        let plan = whole.plan();
        whole.apply(None).end.unwrap();
        let whole = whole.tree();
        for change in plan.iter().flat_map(|(_, changes)| changes) {
            let Change::Write { path, .. } = change else { continue };
            let of = format!("half of {}", path.display());
            assert_mends(&cut_short(&node, path), &before, &whole, &of);
            cut_short(&node, path).assert_goes_back(&before, &of);
        }
    }
}
