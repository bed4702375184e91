//! Runs and resets that break, at each command and each file in turn: the next
//! one mends what they left.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it expects")]

mod node;

use std::collections::BTreeSet;
use std::fs;

use installer::change::Change;
use installer::reset;
use node::kinds::nodes;
use node::{Fault, Node, Tree, difference};

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

#[test]
fn whatever_file_cannot_be_written_the_next_run_mends_it() {
    for node in nodes() {
        let whole = node();
        let plan = whole.plan();
        whole.apply(None).end.unwrap();
        let whole = whole.tree();
        for change in plan.iter().flat_map(|(_, changes)| changes) {
            let Change::Write { path, .. } = change else { continue };
            let node = node();
            let before = node.tree();
            // A folder that has the name of the file that is written first.
            let block = node.root().join(format!(".{}.kubeferry-new", path.display()));
            let parent_was_there = block.parent().unwrap().exists();
            fs::create_dir_all(&block).unwrap();
            node.apply(None).end.unwrap_err();
            fs::remove_dir(&block).unwrap();
            if !parent_was_there {
                fs::remove_dir(block.parent().unwrap()).unwrap();
            }
            assert_mends(&node, &before, &whole, &format!("no {}", path.display()));
        }
    }
}
