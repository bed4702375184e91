//! Resets that were cut short, failed in part, or find that others have removed what
//! they would take back: run again, they end, and the node is as it was.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it expects")]

mod node;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use installer::receipt::{Deed, FILE, Line, Receipt};
use installer::reset;
use installer::role::Role;
use node::kinds::{self, nodes};
use node::{Fault, Node};

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
        receipt.add(Line::Deed { step: "a step".to_owned(), deed }).unwrap();
    }
    node
}

fn ran(undo: &str) -> Deed {
    let command = installer::exec::Command::of;
    Deed::Ran { command: command("what was run"), undo: vec![command(undo)] }
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
