//! Further masters: how one joins, and how one leaves.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use installer::engine::{reset, run};
use installer::install::{Change, OfInstall};
use installer::intent::Intent;
use installer::preflight::settled;
use installer::receipt::StepName;
use installer::removal::{self, Removal};
use installer::role::Role;
use installer::steps::control_plane::ControlPlane;

use crate::node::etcd::POD;
use crate::node::intent::{bundle_changed, image};
use crate::node::join::{for_master, join_file};
use crate::node::member::Member;
use crate::node::text::{read, write};
use crate::node::{Fault, Node, kinds};

const PAUSE: &str = "registry.k8s.io/pause:3.9";
const SECRETS: &str = "opt/kubernetes/kubeadm-join.yaml";
const THREE: &str = "1 node-1 10.0.0.2\n2 node-2 10.0.0.3\n3 node-3 10.0.0.4\n";

/// A bare node that is to be a further master.
fn further() -> Node {
    let mut node = kinds::bare(Role::Master);
    node.change = |intent: &mut Intent| {
        intent.join = Some(for_master(intent.cluster.clone()));
        intent.bundle = bundle_changed(&[], |lock| {
            lock.images = vec![image(PAUSE)];
            lock.sandbox_image = Some(PAUSE.parse().unwrap());
        });
    };
    fs::create_dir_all(node.root().join("run/nodes")).unwrap();
    let cri = format!("[plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"{PAUSE}\"\n");
    for (path, text) in [
        ("run/images", format!("{PAUSE}\n")),
        ("run/kubeadm-images", format!("{PAUSE}\n")),
        ("etc/containerd/config.toml", format!("version = 2\n{cri}")),
        ("run/systemd/active/chronyd", String::new()),
    ] {
        write(&node, path, &text);
    }
    node
}

fn join(node: &Node, fault: Option<Fault>) -> anyhow::Result<usize> {
    let host = node.look(fault).0;
    run::apply(&mut host.open().unwrap(), &node.intent(), &[&ControlPlane], &mut |_, _, _| ())
}

fn plan(node: &Node) -> Vec<Change> {
    let planned = run::plan(&node.look(None).0, &node.intent(), &[&ControlPlane]).unwrap();
    planned.into_iter().flat_map(|planned| planned.changes).collect()
}

fn assert_joined(node: &Node, of: &str) {
    assert_eq!(plan(node), [], "{of}");
    assert!(!node.root().join(SECRETS).exists(), "{of}");
    let kept = ["kubeadm.yaml", "kubeadm-joined.yaml"].map(|name| format!("opt/kubernetes/{name}"));
    for path in &kept {
        let text = read(node, path);
        assert!(text.contains("controlPlaneEndpoint: api.site:6443"), "{path} of {of}: {text}");
        assert!(!text.contains("abab") && !text.contains("abcdef"), "{path} of {of}: {text}");
    }
    assert!(read(node, &kept[0]).contains("kind: InitConfiguration"));
    assert!(read(node, &kept[1]).contains("controlPlane:\n  localAPIEndpoint:\n"));
}

#[test]
fn one_joins_with_keys_that_it_does_not_keep_and_goes_back() {
    let node = further();
    let before = node.tree();
    join(&node, None).unwrap();
    assert_joined(&node, "one run");
    node.assert_goes_back(&before, "a further master");
}

#[test]
fn one_that_a_lost_power_has_cut_short_joins_by_the_same_line() {
    let whole = further();
    let (host, commands) = whole.look(None);
    run::apply(&mut host.open().unwrap(), &whole.intent(), &[&ControlPlane], &mut |_, _, _| ())
        .unwrap();
    let made = commands.made();
    assert_eq!(made, [format!("kubeadm join --config /{SECRETS}")]);
    for fault in [Fault::Killed(0), Fault::Half(0), Fault::Refused(0), Fault::Late(0)] {
        let node = further();
        let ended = catch_unwind(AssertUnwindSafe(|| join(&node, Some(fault))));
        assert!(!matches!(ended, Ok(Ok(_))), "{fault:?}");
        join(&node, None).unwrap();
        assert_joined(&node, &format!("{fault:?}"));
    }
}

/// By its bundle and its own settings it would follow nobody's clock.
#[test]
fn one_that_has_joined_wants_a_join_file_again() {
    let node = further();
    join(&node, None).unwrap();
    let told = |intent: &Intent| {
        let problems = settled::problems(&node.look(None).0, intent);
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let mut intent = node.intent();
    assert_eq!(told(&intent), [""; 0]);
    intent.join = None;
    let words = "this master has joined its cluster by a join file, and none is given";
    assert_eq!(told(&intent), [words]);
    // Any will do, also one for workers.
    intent.join = Some(join_file(intent.cluster.clone()));
    intent.join.as_mut().unwrap().endpoint = "api.site:6443".to_owned();
    assert_eq!(told(&intent), [""; 0]);
}

/// What it has left looks like a worker's.
#[test]
fn one_that_was_interrupted_is_no_worker_and_no_first_master() {
    let node = further();
    drop(join(&node, Some(Fault::Half(0))));
    let host = node.look(None).0;
    let mut intent = node.intent();
    assert!(settled::problems(&host, &intent).is_empty());
    intent.join = None;
    let error = run::plan(&host, &intent, &[&ControlPlane]).map(drop).unwrap_err();
    assert!(format!("{error:#}").contains("was joining one, by a join file"), "{error:#}");
    intent.join = Some(join_file(intent.cluster.clone()));
    let error = run::plan(&host, &intent, &[&ControlPlane]).map(drop).unwrap_err();
    assert!(format!("{error:#}").contains("this join file is for workers"), "{error:#}");
}

/// Its member may be one of two that have a vote. Emptied before it has left, it would
/// stop the other.
#[test]
fn what_an_interrupted_join_has_in_etcd_leaves_before_its_data_go() {
    let node = further();
    drop(join(&node, Some(Fault::Half(0))));
    write(&node, "etc/kubernetes/manifests/etcd.yaml", POD);
    let changes = plan(&node);
    let place = |wanted: &dyn Fn(&Change) -> bool| changes.iter().position(wanted).unwrap();
    let leaves = place(&|change| *change == Change::Own(OfInstall::LeaveEtcd));
    let resets = place(&|change| change.to_string().contains("kubeadm reset"));
    assert!(leaves < resets, "{changes:?}");
}

/// A master whose etcd has these members, and whose API server has the same nodes.
fn master(members: &str) -> Node {
    let node = further();
    join(&node, None).unwrap();
    write(&node, "run/systemd/active/kubelet", "");
    write(&node, "run/tasks", "id-1 etcd\nid-2 kube-apiserver\n");
    write(&node, "run/etcd", members);
    for line in members.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let ready = if words.contains(&"silent") { "Unknown" } else { "True" };
        let object = serde_json::json!({"status": {
            "addresses": [{"type": "InternalIP", "address": words[2]}],
            "conditions": [{"type": "Ready", "status": ready}],
        }});
        write(&node, &format!("run/nodes/{}", words[1]), &object.to_string());
    }
    node
}

/// Takes a node out; gives the commands.
fn remove(node: &Node, name: &str) -> anyhow::Result<Vec<String>> {
    let (host, commands) = node.look(None);
    let removal = Removal::of(&host, name.to_owned().try_into().unwrap())?;
    run::apply(&mut host.open().unwrap(), &removal, &removal::STEPS, &mut |_, _, _| ())?;
    let words = |line: String| line.split(" etcdctl ").last().unwrap().to_owned();
    Ok(commands.made().into_iter().map(words).collect())
}

#[test]
fn a_living_master_is_drained_and_leaves_etcd_before_it_is_forgotten() {
    let node = master(THREE);
    let made = remove(&node, "node-2").unwrap();
    let [drain, member, delete] = &made[..] else { panic!("{made:?}") };
    assert!(drain.contains(" drain node-2 --ignore-daemonsets "), "{drain}");
    assert!(member.ends_with(" member remove 2"), "{member}");
    assert!(delete.ends_with(" delete node node-2"), "{delete}");
    assert_eq!(read(&node, "run/etcd"), "1 node-1 10.0.0.2 \n3 node-3 10.0.0.4 \n");
}

/// The API server takes most of a minute to see that a node is lost.
#[test]
fn one_that_was_lost_just_now_is_not_drained() {
    let node = master(THREE);
    write(&node, "run/silent-kubelets", "node-2\n");
    let made = remove(&node, "node-2").unwrap();
    assert!(made.iter().all(|one| !one.contains(" drain ")), "{made:?}");
}

#[test]
fn one_that_does_not_answer_is_taken_out_without_its_help() {
    let node = master(&THREE.replace("10.0.0.4", "10.0.0.4 silent"));
    let made = remove(&node, "node-3").unwrap();
    assert_eq!(made.len(), 2, "nobody drains it: {made:?}");
    assert!(made[0].ends_with(" member remove 3"), "{made:?}");
    // A worker has no member.
    write(&node, "run/nodes/w", "{}");
    assert_eq!(remove(&node, "w").unwrap().len(), 1);
}

#[test]
fn a_removal_that_would_stop_etcd_is_refused_before_anything_is_done() {
    let node = master(&THREE.replace("10.0.0.4", "10.0.0.4 silent"));
    let error = remove(&node, "node-2").unwrap_err();
    assert_eq!(
        error.to_string(),
        "without node-2, etcd would have no quorum, because these members do not answer: node-3"
    );
    assert!(!node.root().join("run/drained").exists());
    for (name, what) in [("node-1", "is this node itself"), ("x", "the cluster has no node x")] {
        let error = remove(&node, name).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

/// Has this node's member leave.
fn leave(node: &Node) -> anyhow::Result<bool> {
    removal::leave(&mut node.look(None).0.open().unwrap(), StepName::ControlPlane)
}

#[test]
fn a_master_leaves_etcd_before_a_reset_where_others_count_on_it() {
    let node = master(THREE);
    assert!(leave(&node).unwrap());
    assert!(!read(&node, "run/etcd").contains("node-1"));
    // The last one has nobody to tell.
    assert!(!leave(&master("1 node-1 10.0.0.2\n")).unwrap());
    // One without a vote answers no such question, so another is asked.
    let learner = master("1 node-1 10.0.0.2 learner\n2 node-2 10.0.0.3\n");
    assert!(leave(&learner).unwrap());
    assert_eq!(read(&learner, "run/etcd"), "2 node-2 10.0.0.3 \n");
    // One that was removed before.
    assert!(!leave(&master("2 node-2 10.0.0.3\n3 node-3 10.0.0.4\n")).unwrap());
}

/// The answer of a leader that takes itself out is mostly lost. etcd also refuses while a
/// member has just been connected.
#[test]
fn a_member_is_taken_out_by_one_that_stays_and_as_soon_as_etcd_agrees() {
    let node = master(THREE);
    write(&node, "run/etcd-refuses", "\n\n");
    let (host, commands) = node.look(None);
    assert!(removal::leave(&mut host.open().unwrap(), StepName::Remove).unwrap());
    let made = commands.made();
    assert_eq!(made.len(), 3, "{made:?}");
    let asked = |line: &String| line.contains("https://10.0.0.3:2379 ");
    assert!(made.iter().all(asked), "another member: {made:?}");
    // The same where another node is taken out.
    write(&node, "run/etcd", THREE);
    write(&node, "run/etcd-refuses", "\n");
    assert_eq!(remove(&node, "node-3").unwrap().len(), 4, "drain, twice etcd, delete");
}

/// Its disk may have what one of two needs to go on.
#[test]
fn one_whose_etcd_does_not_run_is_emptied_only_if_the_others_go_on_without_it() {
    let node = master(THREE);
    fs::remove_file(node.root().join("run/systemd/active/kubelet")).unwrap();
    write(&node, "run/tasks", "");
    let error = leave(&node).unwrap_err().to_string();
    assert!(error.starts_with("neither etcd on this node nor the API server answers"), "{error}");
    write(&node, "run/tasks", "id-2 kube-apiserver\n");
    assert!(!leave(&node).unwrap());
}

#[test]
fn a_first_master_that_was_never_whole_is_reset_at_once() {
    let node = master(THREE);
    write(&node, "run/tasks", "");
    for path in ["opt/kubernetes/kubeadm-joined.yaml", "run/systemd/active/kubelet"] {
        fs::remove_file(node.root().join(path)).unwrap();
    }
    assert!(leave(&node).is_err(), "one that was whole");
    let receipt = read(&node, "var/lib/kubeferry/receipt.jsonl");
    let begun: String = receipt
        .lines()
        .filter(|line| !line.contains("finished"))
        .map(|line| format!("{line}\n"))
        .collect();
    write(&node, "var/lib/kubeferry/receipt.jsonl", &begun);
    assert!(!leave(&node).unwrap());
}

#[test]
fn doctor_tells_of_members_that_do_not_answer() {
    let member = Member::new(Role::Master);
    member.write("etc/kubernetes/manifests/etcd.yaml", POD);
    member.write("run/etcd", THREE);
    let told = || {
        let findings = member.diagnose().findings.into_iter();
        findings.filter(|one| one.cause.contains("etcd")).collect::<Vec<_>>()
    };
    member.write("run/etcd", &THREE.replace("10.0.0.4", "10.0.0.4 silent"));
    assert_eq!(told(), [], "a single master by its address");
    member.write("opt/kubernetes/kubeadm-joined.yaml", "");
    let found = told();
    assert_eq!(found[0].cause, "of 3 members of etcd, these do not answer: node-3");
    assert!(found[0].cure.ends_with("./installer remove node-3"), "{}", found[0].cure);
    let two = "1 node-1 10.0.0.2\n2 node-2 10.0.0.3 silent\n";
    member.write("run/etcd", two);
    assert!(told()[0].cause.starts_with("etcd has no quorum"), "{:?}", told());
    member.write("run/etcd", &(THREE.to_owned() + "4 node-4 10.0.0.5 learner\n"));
    assert_eq!(told(), [], "one that joins");
    let warnings = member.diagnose().warnings;
    assert_eq!(warnings[0].cause, "the member node-4 of etcd has no vote yet");
    assert!(warnings[0].cure.ends_with("./installer remove node-4"), "{warnings:?}");
    member.write("run/alarms", "memberID:1 alarm:NOSPACE\n");
    assert_eq!(told()[0].cause, "etcd has the alarm NOSPACE, and takes no changes");
}

#[test]
fn a_master_without_which_etcd_would_stop_is_not_reset() {
    let node = master(&THREE.replace("10.0.0.4", "10.0.0.4 silent"));
    let error = leave(&node).unwrap_err();
    assert!(error.to_string().starts_with("this node's member cannot leave etcd"), "{error}");
    let left = reset::reset(&mut node.look(None).0.open().unwrap(), &mut |_| ());
    assert_eq!(left, [""; 0], "what was noted is no obstacle later");
}
