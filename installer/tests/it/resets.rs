//! Resets that were cut short, failed in part, or find that others have removed what
//! they would take back: run again, they end, and the node is as it was.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use installer::engine::reset;
use installer::receipt::{Before, Deed, FILE, Line, Receipt, StepName};
use installer::role::Role;

use crate::node::kinds::{self, nodes};
use crate::node::{Fault, Node};

const FOLDER: &str = "var/lib/kubeferry";

fn receipt(node: &Node) -> String {
    fs::read_to_string(node.root().join(FOLDER).join(FILE)).unwrap()
}

/// Resets it with commands that fail as `fault` says, without the last step, which
/// removes the receipt. Gives what could not be taken back, and what was run.
fn reset_with(node: &Node, fault: Option<Fault>) -> (Vec<String>, Vec<String>) {
    let (host, commands) = node.look(fault);
    let left = reset::reset(&mut host.open().unwrap(), &mut |_| ());
    (left, commands.made())
}

#[test]
fn one_that_a_lost_power_has_cut_short_is_run_again() {
    for node in nodes() {
        let whole = node();
        whole.apply(None).end.unwrap();
        let undos = reset_with(&whole, None).1;
        assert!(!undos.is_empty());
        for (nth, undo) in undos.iter().enumerate() {
            let node = node();
            let before = node.tree();
            node.apply(None).end.unwrap();
            let ended = catch_unwind(AssertUnwindSafe(|| {
                reset_with(&node, Some(Fault::Killed(nth)));
            }));
            assert!(ended.is_err(), "{undo} was to be the last");
            node.assert_goes_back(&before, &format!("a reset that ended with `{undo}`"));
        }
    }
}

#[test]
fn whatever_of_it_the_receipt_has_it_is_run_again() {
    for node in nodes() {
        let node = node();
        let before = node.tree();
        node.apply(None).end.unwrap();
        let done = receipt(&node).lines().count();
        assert_eq!(reset_with(&node, None).0, [""; 0]);
        let whole = receipt(&node);
        let count = whole.lines().count();
        assert!(count > done);
        for length in done..=count {
            let lines = whole.lines().take(length).map(|line| format!("{line}\n"));
            fs::write(node.root().join(FOLDER).join(FILE), lines.collect::<String>()).unwrap();
            assert_eq!(reset_with(&node, None).0, [""; 0], "with {length} lines of {count}");
        }
        node.assert_goes_back(&before, "many resets");
    }
}

#[test]
fn units_and_programs_that_others_have_removed_hold_up_none() {
    let gone = [
        "NetworkManager",
        "chronyd",
        "containerd",
        "extra.swap",
        "firewalld",
        "kubelet",
        "kubeferry-service-route.service",
        "nfs-server",
        "exportfs",
        "firewall-cmd",
        "kubeadm",
    ];
    for node in nodes() {
        let node = node();
        node.apply(None).end.unwrap();
        fs::write(node.root().join("run/gone"), gone.join("\n")).unwrap();
        for state in ["active", "enabled", "masked"] {
            for unit in gone {
                drop(fs::remove_file(node.root().join("run/systemd").join(state).join(unit)));
            }
        }
        assert_eq!(reset_with(&node, None).0, [""; 0]);
    }
}

/// A node with a receipt of just these deeds.
fn with_deeds(deeds: Vec<Deed>) -> Node {
    let node = kinds::bare(Role::Worker);
    let mut receipt = Receipt::open(&node.root().join(FOLDER)).unwrap();
    for deed in deeds {
        receipt.add(Line::Deed { step: StepName::Time, deed }).unwrap();
    }
    node
}

fn ran(undo: &str) -> Deed {
    let command = installer::exec::Command::of;
    Deed::Ran { command: command("what was run"), undo: vec![command(undo)], intention: None }
}

#[test]
fn what_older_receipts_have_is_asked_for_too() {
    let undos = [
        "rpm --erase gpg-pubkey-f4a80eb5",
        "systemctl stop gone",
        "systemctl disable gone",
        "systemctl disable --now kubelet",
        "systemctl unmask gone",
        "systemctl enable --now gone",
        "systemctl restart gone",
        "systemctl reload gone",
        "firewall-cmd --reload",
        "setenforce 1",
        "sysctl -w net.bridge.gone=0",
        "sysctl -w net.ipv4.ip_forward=0",
        "kubeadm reset --force --cri-socket /run/containerd/containerd.sock",
        "exportfs -ra",
    ];
    let node = with_deeds(undos.into_iter().map(ran).collect());
    let gone = "gone\nkubelet\nkubeadm\nexportfs\nfirewall-cmd\n";
    fs::write(node.root().join("run/gone"), gone).unwrap();
    let (left, made) = reset_with(&node, None);
    assert_eq!((left, made), (Vec::new(), Vec::new()));

    // What is left of it is taken back.
    let node = with_deeds(undos.into_iter().take(3).map(ran).collect());
    for (path, text) in [
        ("run/keys", "gpg-pubkey-f4a80eb5\n"),
        ("run/systemd/active/gone", ""),
        ("run/systemd/enabled/gone", ""),
    ] {
        fs::write(node.root().join(path), text).unwrap();
    }
    let (left, made) = reset_with(&node, None);
    assert_eq!(left, [""; 0]);
    let undos: Vec<&str> = undos.into_iter().take(3).rev().collect();
    assert_eq!(made, undos);
}

#[test]
fn what_a_reset_has_given_back_is_not_taken_again() {
    let path = Path::new("etc/chrony.conf");
    let node = kinds::bare(Role::Worker);
    node.apply(None).end.unwrap();
    // The last of all that it takes back.
    let nth = reset_with(&node, None).1.len() - 1;
    let node = kinds::bare(Role::Worker);
    node.apply(None).end.unwrap();
    let (left, _) = reset_with(&node, Some(Fault::Refused(nth)));
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(!node.root().join(path).exists());
    fs::write(node.root().join(path), "pool of.the.site\n").unwrap();
    assert_eq!(reset_with(&node, None).0, [""; 0]);
    assert_eq!(fs::read_to_string(node.root().join(path)).unwrap(), "pool of.the.site\n");

    // Nor by the reset of another run.
    node.apply(None).end.unwrap();
    assert_eq!(reset_with(&node, None).0, [""; 0]);
    assert_eq!(fs::read_to_string(node.root().join(path)).unwrap(), "pool of.the.site\n");
}

/// Has a file's way back fail, until it is given back: what it was cannot be read, or
/// it cannot be removed.
fn block(node: &Node, path: &Path, before: &Before) -> impl Fn() + use<> {
    let real = match before {
        Before::File { kept, .. } => node.root().join(FOLDER).join("before").join(kept),
        Before::Absent => node.root().join(path.strip_prefix("/").unwrap()),
    };
    let aside = real.with_extension("aside");
    // Of those that a command may write some are not there.
    let is_there = fs::rename(&real, &aside).is_ok();
    fs::create_dir_all(&real).unwrap();
    move || {
        fs::remove_dir(&real).unwrap();
        if is_there {
            fs::rename(&aside, &real).unwrap();
        }
    }
}

/// The files that a node's receipt tells of, each with what is run at a reset
/// when the file is back.
fn files(node: &Node) -> Vec<(PathBuf, Before, Vec<String>)> {
    let text = receipt(node);
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut ran: Vec<(StepName, String)> = Vec::new();
    let mut files = Vec::new();
    for line in lines {
        let Line::Deed { step, deed } = line else { continue };
        match deed {
            Deed::Ran { undo, .. } => {
                ran.extend(undo.iter().map(|command| (step, command.to_string())));
            }
            Deed::Wrote { path, before, .. } => {
                let reads = ["swapon", "systemctl restart", "systemctl try-restart"];
                let of = ran.iter().filter(|(name, command)| {
                    *name == step && reads.iter().any(|word| command.starts_with(word))
                });
                files.push((path, before, of.map(|(_, command)| command.clone()).collect()));
            }
            _ => {}
        }
    }
    files
}

#[test]
fn what_reads_a_file_is_run_again_when_that_is_back() {
    let mut all = BTreeSet::new();
    for node in nodes() {
        let whole = node();
        whole.apply(None).end.unwrap();
        for (path, before, reads) in files(&whole) {
            if path.starts_with(Path::new("/").join(FOLDER)) || reads.is_empty() {
                continue;
            }
            let node = node();
            let tree = node.tree();
            node.apply(None).end.unwrap();
            let give_back = block(&node, &path, &before);
            for _ in 0..2 {
                let (left, _) = reset_with(&node, None);
                assert!(!left.is_empty(), "{}", path.display());
            }
            give_back();
            let (left, made) = reset_with(&node, None);
            assert_eq!(left, [""; 0], "{}", path.display());
            for command in &reads {
                assert!(made.contains(command), "{}: {command} of {made:?}", path.display());
            }
            let (left, made) = reset_with(&node, None);
            assert_eq!((left, made), (Vec::new(), Vec::new()), "{}", path.display());
            node.assert_goes_back(&tree, &format!("{} that was blocked", path.display()));
            all.extend(reads);
        }
    }
    assert!(all.len() > 3, "{all:?}");
}
