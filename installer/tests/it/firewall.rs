//! firewalld on a node where Kubernetes has rules of its own: none of them goes.

use std::fs;

use bundle_format::cluster::Firewall;
use installer::engine::reset;
use installer::exec::Command;
use installer::failure::describe;
use installer::intent::Intent;
use installer::receipt::firewalld::{Kind, Place, Rule};
use installer::receipt::{Intention, StepName};
use installer::role::Role;

use crate::node::text::{read, write};
use crate::node::{Node, kinds};

const FILES: &str = "etc/firewalld/zones/public.xml";
const WORK: &str = "run/firewalld/zones/public.xml";
const KUBELET: &str = "etc/kubernetes/kubelet.conf";
/// What others have in the kernel, and its double loses with all rules.
const OTHERS: &str = "run/iptables";

fn remove(node: &Node, path: &str) {
    fs::remove_file(node.root().join(path)).unwrap();
}

/// The node is in its cluster.
fn enter(node: &Node) {
    write(node, KUBELET, "");
    write(node, OTHERS, "KUBE-SERVICES\n");
}

fn without(node: &Node, path: &str, line: &str) {
    let text = read(node, path);
    assert!(text.contains(line), "{text}");
    write(node, path, &text.replace(line, ""));
}

/// The commands of the plan's step `firewall`.
fn planned(node: &Node) -> Vec<String> {
    let plan = node.plan().into_iter().find(|(step, _)| *step == StepName::Firewall).unwrap();
    plan.1.iter().map(|change| change.to_string().replacen("run ", "", 1)).collect()
}

/// Nodes with firewalld 0.6, as of el7, and with one that has policies.
fn nodes() -> [Node; 2] {
    let old = kinds::firewalled(Role::Worker);
    write(&old, "run/old-firewalld", "");
    [old, kinds::firewalled(Role::Worker)]
}

#[test]
fn rules_of_others_outlive_a_run_that_opens_and_one_that_closes_ports() {
    for mut node in nodes() {
        node.change = |intent| intent.cluster.ingress = false;
        node.apply(None).end.unwrap();
        enter(&node);
        let changes: [fn(&mut Intent); 2] = [|_| (), |intent| intent.cluster.ingress = false];
        for (change, is_open) in changes.into_iter().zip([true, false]) {
            node.change = change;
            let applied = node.apply(None);
            applied.end.unwrap();
            // Of everybody and of nodes, at work and in files.
            assert_eq!(applied.commands.made().len(), 4, "{:?}", applied.commands.made());
            for path in [FILES, WORK] {
                assert_eq!(read(&node, path).contains("port 443/tcp\n"), is_open, "{path}");
                assert!(read(&node, path).contains("port 10256/tcp\n"), "{path}");
            }
        }
        assert_eq!(read(&node, OTHERS), "KUBE-SERVICES\n");
    }
}

#[test]
fn a_reset_removes_what_was_let_through_and_no_rules_of_others() {
    let [node, _] = nodes();
    let before = node.tree();
    node.apply(None).end.unwrap();
    assert!(read(&node, "run/firewalld/direct.xml").contains("FORWARD 0 -d 10.244.0.0/16"));
    write(&node, OTHERS, "DOCKER\n");
    let mut host = node.look(None).0.open().unwrap();
    assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
    assert_eq!(read(&node, OTHERS), "DOCKER\n");
    drop(host);
    remove(&node, OTHERS);
    node.assert_goes_back(&before, "a node with firewalld 0.6");
}

#[test]
fn rules_at_work_and_in_files_are_mended_each_by_itself() {
    let add = "--zone=public --add-port=10256/tcp";
    for node in nodes() {
        node.apply(None).end.unwrap();
        enter(&node);
        without(&node, WORK, "port 10256/tcp\n");
        assert_eq!(planned(&node), [format!("firewall-cmd {add}")]);
        node.apply(None).end.unwrap();
        without(&node, FILES, "port 10256/tcp\n");
        assert_eq!(planned(&node), [format!("firewall-cmd --permanent {add}")]);
        node.apply(None).end.unwrap();
        assert_eq!(planned(&node), [""; 0]);
        assert_eq!(read(&node, OTHERS), "KUBE-SERVICES\n");
    }
}

#[test]
fn what_a_reload_brings_to_work_is_not_added_there_and_is_closed_there() {
    let [_, mut node] = nodes();
    let opening = planned(&node);
    assert!(!opening.iter().any(|one| one.starts_with("firewall-cmd --zone")), "{opening:?}");
    assert_eq!(opening.last().unwrap(), "firewall-cmd --reload");
    node.apply(None).end.unwrap();
    assert!(read(&node, WORK).contains("port 443/tcp\n"));
    enter(&node);
    node.change = |intent| intent.cluster.ingress = false;
    let is_closing = |one: &String| one.contains("--remove-port=80/tcp");
    let closing: Vec<String> = planned(&node).into_iter().filter(is_closing).collect();
    let [at_work, in_files] = closing.as_slice() else { panic!("{closing:?}") };
    assert!(at_work.starts_with("firewall-cmd --zone=public "), "{at_work}");
    // A run that was killed after its first change.
    let rules = ["80/tcp", "443/tcp"].map(|word| {
        let (zone, word) = ("public".to_owned(), word.to_owned());
        Rule { zone, kind: Kind::Port, word }
    });
    let closed = Intention::Close { place: Place::Work, rules: rules.into() };
    let mut host = node.look(None).0.open().unwrap();
    host.run(StepName::Firewall, &Command::of(at_work), &[], &[], Some(closed)).unwrap();
    drop(host);
    let left = planned(&node);
    assert!(left.contains(in_files), "{left:?}");
}

#[test]
fn a_policy_that_only_a_reload_brings_waits_for_the_nodes_next_start() {
    let [_, node] = nodes();
    let policy = "firewalld/policies/kubeferry-pods.xml";
    node.apply(None).end.unwrap();
    enter(&node);
    for place in ["etc", "run"] {
        remove(&node, &format!("{place}/{policy}"));
    }
    // It comes into the files, and is not said to be done.
    let told = describe(&node.apply(None).end.unwrap_err(), None);
    assert!(told.contains("does not yet let other nodes' traffic through to pods"), "{told}");
    assert!(told.contains("hint: restart this node when that suits"), "{told}");
    assert!(read(&node, &format!("etc/{policy}")).contains("egress-zones: trusted"));
    assert_eq!(read(&node, OTHERS), "KUBE-SERVICES\n");
    write(&node, &format!("run/{policy}"), &read(&node, &format!("etc/{policy}")));
    node.apply(None).end.unwrap();
}

#[test]
fn one_that_starts_at_the_next_boot_gets_its_files_and_one_that_is_off_is_left() {
    for node in nodes() {
        let before = node.tree();
        remove(&node, "run/systemd/active/firewalld");
        remove(&node, WORK);
        let stopped = node.tree();
        let files = ["firewall-offline-cmd --", "write /var/lib/kubeferry/kubeferry-pods.xml"];
        let is_of_files = |one: &String| files.iter().any(|file| one.starts_with(file));
        assert!(planned(&node).iter().all(is_of_files), "{:?}", planned(&node));
        node.apply(None).end.unwrap();
        assert!(read(&node, FILES).contains("port 10256/tcp\n"));
        assert_eq!(planned(&node), [""; 0]);
        node.assert_goes_back(&stopped, "a node whose firewalld starts at the next boot");
        assert_ne!(before, stopped);
        for word in ["", "masked"] {
            remove(&node, "run/systemd/enabled/firewalld");
            if word == "masked" {
                write(&node, "run/systemd/masked/firewalld", "");
            }
            assert_eq!(planned(&node), [""; 0], "{word}");
            write(&node, "run/systemd/enabled/firewalld", "");
        }
    }
}

#[test]
fn firewalld_is_not_stopped_beside_kubernetes() {
    let [mut node, _] = nodes();
    node.apply(None).end.unwrap();
    enter(&node);
    node.change = |intent| intent.cluster.firewall = Firewall::Flush;
    assert_eq!(planned(&node), ["systemctl disable firewalld"]);
    let told = describe(&node.apply(None).end.unwrap_err(), None);
    assert!(told.contains("firewalld is off from the node's next start on"), "{told}");
    assert!(told.contains("hint: restart this node when that suits"), "{told}");
    assert_eq!(read(&node, OTHERS), "KUBE-SERVICES\n");
    remove(&node, "run/systemd/active/firewalld");
    assert_eq!(planned(&node), [""; 0]);
    // And where there is none yet, at once.
    let [mut node, _] = nodes();
    node.change = |intent| intent.cluster.firewall = Firewall::Flush;
    assert_eq!(planned(&node), ["systemctl disable --now firewalld"]);
}

#[test]
fn what_older_versions_noted_is_taken_back() {
    for undo in [r#"["firewall-cmd","--reload"]"#, r#"["systemctl","restart","firewalld"]"#] {
        let [node, _] = nodes();
        let before = node.tree();
        let (text, kept) = (read(&node, FILES), "before");
        let digest = bundle_format::Digest::of(text.as_bytes()).hex();
        write(&node, &format!("var/lib/kubeferry/{kept}/{digest}"), &text);
        let lines = format!(
            "{{\"line\":\"receipt\",\"version\":1}}\n{{\"line\":\"deed\",\"step\":\"firewall\",\"deed\":\
             {{\"did\":\"ran\",\"command\":[\"firewall-cmd\",\"--permanent\",\"--add-port=80/tcp\"],\
             \"undo\":[{undo}]}}}}\n{{\"line\":\"deed\",\"step\":\"firewall\",\"deed\":\
             {{\"did\":\"wrote\",\"path\":\"/{FILES}\",\"before\":{{\"was\":\"file\",\"kept\":\"{digest}\",\
             \"mode\":420}},\"after\":null}}}}\n"
        );
        write(&node, "var/lib/kubeferry/receipt.jsonl", &lines);
        for path in [FILES, WORK] {
            write(&node, path, &format!("{text}port 80/tcp\n"));
        }
        // What it opened is its own to close, at both places.
        let mut again = node;
        again.change = |intent| intent.cluster.ingress = false;
        let closed: Vec<String> = planned(&again)
            .into_iter()
            .filter(|one| one.contains("--remove-port=80/tcp"))
            .collect();
        assert_eq!(closed.len(), 2, "{closed:?}");
        again.assert_goes_back(&before, undo);
    }
}
