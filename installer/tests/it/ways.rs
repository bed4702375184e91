//! The way to a set-up node and back, on small nodes.

use std::collections::BTreeSet;
use std::fs;

use installer::engine::run;
use installer::install::Change;
use installer::receipt::StepName;
use installer::role::Role;

use crate::node::difference;
use crate::node::kinds::{self, nodes};

/// Steps with their changes. To what a kernel's key is set back, nobody knows
/// before its module is loaded.
fn without_undo(steps: &[(StepName, Vec<Change>)]) -> Vec<(StepName, Vec<Change>)> {
    let mut steps = steps.to_vec();
    for change in steps.iter_mut().flat_map(|(_, changes)| changes) {
        if let Change::Run { undo, .. } = change {
            undo.clear();
        }
    }
    steps
}

#[test]
fn the_plan_is_the_deed() {
    for node in nodes() {
        let node = node();
        let before = node.tree();
        let plan = node.plan();
        assert_eq!(node.tree(), before);
        let applied = node.apply(None);
        applied.end.unwrap();
        assert_eq!(without_undo(&applied.changes), without_undo(&plan));
        let changes = || plan.iter().flat_map(|(_, changes)| changes);
        let commands: Vec<String> = changes()
            .filter_map(|change| match change {
                Change::Install { .. } => panic!("a small bundle has no packages"),
                Change::Run { command, .. } | Change::Write { then: Some(command), .. } => {
                    Some(command.to_string())
                }
                _ => None,
            })
            .collect();
        assert_eq!(applied.commands.made(), commands);
        let written: BTreeSet<String> = changes()
            .filter_map(|change| match change {
                // That folder is the installer's own.
                Change::Write { path, .. } if !path.starts_with("/var/lib/kubeferry") => {
                    Some(path.to_str()?.trim_start_matches('/').to_owned())
                }
                _ => None,
            })
            .collect();
        let mut found = difference(&node.tree(), &before);
        found.retain(|path| {
            // What commands write is their own.
            let own = path == "etc/hostname" || path.starts_with("etc/firewalld/");
            ["etc/", "opt/kubernetes/", "root/"].iter().any(|folder| path.starts_with(folder))
                && node.root().join(path).is_file()
                && !own
        });
        assert_eq!(found, written);
    }
}

#[test]
fn a_second_run_has_nothing_to_do() {
    for node in nodes() {
        let node = node();
        assert!(node.apply(None).end.unwrap() > 10);
        assert!(node.plan().iter().all(|(_, changes)| changes.is_empty()));
        let tree = node.tree();
        assert_eq!(node.apply(None).end.unwrap(), 0);
        assert_eq!(node.tree(), tree);
    }
}

#[test]
fn a_reset_leaves_everything_as_it_was() {
    for node in nodes() {
        let node = node();
        let before = node.tree();
        node.apply(None).end.unwrap();
        node.assert_goes_back(&before, "an undisturbed run");
    }
}

#[test]
fn firewalld_is_asked_little_and_told_all_at_once() {
    for role in [Role::Master, Role::Worker] {
        let node = kinds::firewalled(role);
        let applied = node.apply(None);
        applied.end.unwrap();
        let adds = applied.commands.made();
        let ports = adds.iter().filter(|command| command.contains("--add-port=")).count();
        assert_eq!(ports, 1, "in its files, and a reload puts them to work: {adds:?}");
        let public =
            fs::read_to_string(node.root().join("etc/firewalld/zones/public.xml")).unwrap();
        assert_eq!(public.contains("port 6443/tcp\n"), role == Role::Master);
        let from = "rule family=\"ipv4\" source address=\"10.0.0.0/24\"";
        for element in ["port port=\"10250\" protocol=\"tcp\"", "protocol value=\"4\""] {
            assert!(public.contains(&format!("{from} {element} accept\n")), "{public}");
        }
        let trusted = node.root().join("etc/firewalld/zones/trusted.xml");
        assert_eq!(fs::read_to_string(trusted).unwrap(), "source 10.244.0.0/16\n");

        let (host, commands) = node.look(None);
        let plan = run::plan(&host, &node.intent(), &node.steps()).unwrap();
        assert!(plan.iter().all(|planned| planned.changes.is_empty()));
        assert_eq!(commands.asked(), 0);
        // Three zones: once at work and twice in files, and one of them to know the version. Twice
        // their names, and three for the policy.
        assert_eq!(commands.told(), 15);
    }
}
