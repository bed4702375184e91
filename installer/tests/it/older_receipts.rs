//! Receipts that version 0.1.0 left before deeds had intentions: what it made of two
//! small nodes, with their firewalls changed twice and a master's certificates renewed.
//! `after` is the node as it was then, `back` the node after that version's reset, and
//! `made` the commands that this reset ran.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use installer::engine::{reset, run};
use installer::intent::Intent;
use installer::receipt::{Deed, Intention, Line, StepName};
use installer::role::Role;
use installer::status::{Progress, Status};
use installer::steps::order;
use serde::Deserialize;

use crate::node::{Node, Tree, kinds};

#[derive(Deserialize)]
struct Older {
    #[serde(skip)]
    receipt: String,
    kept: BTreeMap<String, String>,
    after: Tree,
    plan: Vec<String>,
    made: Vec<String>,
    back: Tree,
}

fn older(role: Role) -> Older {
    let (receipt, rest) = match role {
        Role::Master => {
            (include_str!("receipts/master.jsonl"), include_str!("receipts/master.json"))
        }
        Role::Worker => {
            (include_str!("receipts/worker.jsonl"), include_str!("receipts/worker.json"))
        }
    };
    Older { receipt: receipt.to_owned(), ..serde_json::from_str(rest).unwrap() }
}

/// The node as that version left it.
fn node(older: &Older, role: Role) -> Node {
    let mut node = Node::new(role, &[]);
    for (path, (mode, text)) in &older.after {
        let path = node.root().join(path);
        match text {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::create_dir_all(&path).unwrap(),
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
    }
    let folder = node.root().join("var/lib/kubeferry");
    fs::create_dir_all(folder.join("before")).unwrap();
    for (name, text) in &older.kept {
        fs::write(folder.join("before").join(name), text).unwrap();
    }
    // It ran as root; its files are this process's here.
    let own = fs::metadata(node.root()).unwrap();
    let owner = format!("\"owner\":[{},{}]", own.uid(), own.gid());
    let text = older.receipt.replace("\"owner\":[0,0]", &owner);
    fs::write(folder.join("receipt.jsonl"), text).unwrap();
    node.change = without_ingress;
    node
}

fn without_ingress(intent: &mut Intent) {
    kinds::serve(intent);
    intent.kubeconfig = None;
    intent.cluster.ingress = false;
}

#[test]
fn status_reads_it() {
    for role in [Role::Master, Role::Worker] {
        let older = older(role);
        let status = Status::gather(&node(&older, role).look(None).0);
        assert_eq!(status.role, Some(role.to_string()));
        let finished = status.steps.iter().filter(|step| step.progress == Progress::Finished);
        let known: BTreeSet<String> = finished.map(|step| step.name.to_string()).collect();
        let lines = older.receipt.lines();
        let of = |line: &str| {
            let name = line.strip_prefix("{\"line\":\"finished\",\"step\":\"")?;
            name.strip_suffix("\"}").filter(|name| *name != "certs").map(str::to_owned)
        };
        assert_eq!(known, lines.filter_map(of).collect());
        assert!(status.steps.iter().all(|step| step.progress != Progress::Interrupted));
    }
}

#[test]
fn a_plan_knows_which_rules_and_settings_are_ours() {
    for role in [Role::Master, Role::Worker] {
        let older = older(role);
        let node = node(&older, role);
        let mut steps = node.steps();
        // Its files lie beside the receipt, and are not kept here.
        steps.retain(|step| step.name() != StepName::Repository);
        let more = order::steps(role).into_iter();
        steps.extend(more.filter(|step| step.name() == StepName::CniInterface));
        let plan = run::plan(&node.look(None).0, &node.intent(), &steps).unwrap();
        let plan: Vec<String> = plan
            .iter()
            .flat_map(|one| {
                one.changes.iter().map(|change| format!("{}: {change}", one.step.name()))
            })
            .collect();
        // That version did not load nf_conntrack, and did not start kubelet after containerd.
        let is_new =
            |line: &String| line.starts_with("modules: ") || line.contains("/20-kubeferry.conf");
        let (new, others): (Vec<_>, Vec<_>) = plan.into_iter().partition(is_new);
        assert_eq!(others, older.plan);
        let order = "/etc/systemd/system/kubelet.service.d/20-kubeferry.conf";
        assert_eq!(
            new,
            [
                "modules: write /etc/modules-load.d/kubeferry.conf",
                "modules: run modprobe nf_conntrack",
                &format!("kubelet: write {order}, and run systemctl daemon-reload")
            ]
        );
    }
}

#[test]
fn a_reset_takes_all_of_it_back_as_before() {
    for role in [Role::Master, Role::Worker] {
        let older = older(role);
        let node = node(&older, role);
        let (host, commands) = node.look(None);
        let left = reset::reset(&mut host.open().unwrap(), &mut |_| ());
        assert_eq!(left, [""; 0]);
        assert_eq!(commands.made(), older.made);
        assert_eq!(node.tree(), older.back);
    }
}

#[test]
fn its_lines_are_written_as_they_were() {
    for role in [Role::Master, Role::Worker] {
        for line in older(role).receipt.lines() {
            let read: Line = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), line);
        }
    }
}

#[test]
fn receipts_of_today_say_what_a_command_was_run_for() {
    let node = kinds::firewalled(Role::Worker);
    node.apply(None).end.unwrap();
    let (host, _) = node.look(None);
    let mut opened = 0;
    for line in host.lines() {
        let Line::Deed { deed: Deed::Ran { command, intention, .. }, .. } = line else { continue };
        let Some(Intention::Open { rules, .. }) = intention else {
            assert!(!command.to_string().contains(" --zone="), "{command}");
            continue;
        };
        // By which an older version finds them.
        assert!(rules.iter().all(|rule| command.to_string().contains(&rule.word)), "{command}");
        let text = serde_json::to_string(line).unwrap();
        assert!(text.contains("\"intention\":{\"to\":\"open\",\"place\":\""), "{text}");
        assert_eq!(&serde_json::from_str::<Line>(&text).unwrap(), line);
        opened += rules.len();
    }
    assert!(opened > 10, "{opened}");
}
