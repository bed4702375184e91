//! What is in the way of an upgrade.

use installer::intent::{Intent, Upgrading};
use installer::preflight;
use installer::receipt::{self, Line, Stage};
use installer::role::Role;

use super::{NEW, apply, member, new, old, problems, upgraded, with};
use crate::node::Fault;

#[test]
fn what_cannot_be_is_told_at_once_and_nothing_is_changed() {
    let member = upgraded(member(Role::Master));
    assert_eq!(problems(&member.node), [""; 0]);
    member.write("run/away", "node-2");
    member.write("run/alarms", "memberID:1 alarm:NOSPACE\n");
    member.write("run/pods", "default/bare\n");
    member.write(
        "run/metrics",
        "apiserver_requested_deprecated_apis{group=\"flow\",removed_release=\"1.29\",\
         resource=\"schemas\",version=\"v1\"} 1\n",
    );
    let pem = member.authority.issue_for("apiserver", 0);
    member.write("etc/kubernetes/pki/apiserver.crt", &pem);
    member.write("run/images", "registry.k8s.io/pause:3.8\n");
    let told = problems(&member.node);
    for words in [
        "certificates have expired, or will today: /etc/kubernetes/pki/apiserver.crt",
        "the node node-2 is not Ready: it says nothing",
        "node-2 has not got 1 of the 1 new images",
        "etcd has an alarm: memberID:1 alarm:NOSPACE",
        "somebody uses schemas of flow/v1, which Kubernetes 1.29 no longer has",
        "nothing would make default/bare again on another node",
    ] {
        assert!(told.iter().any(|one| one.contains(words)), "{words}: {told:#?}");
    }
    assert_eq!(told.len(), 6, "{told:#?}");
    // What is not said is not good.
    member.write("run/metrics", "");
    let words = "the API server does not say which removed APIs are in use";
    assert!(problems(&member.node).iter().any(|one| one.starts_with(words)));
    member.write("run/nodes", "");
    assert_eq!(problems(&member.node).last().unwrap(), "kubectl's list of nodes is not understood");
}

#[test]
fn a_package_that_the_way_back_would_need_is_told_before() {
    let member = upgraded(member(Role::Worker));
    let warnings = || -> Vec<String> {
        let found = preflight::warnings(&member.node.look(None).0, &member.node.intent());
        let texts = found.iter().map(ToString::to_string);
        texts.filter(|text| text.contains("taken back")).collect()
    };
    assert_eq!(warnings(), [""; 0]);
    member.remove("var/lib/kubeferry/packages/kubelet-1.28.2-1.x86_64.rpm");
    assert_eq!(
        warnings(),
        [
            "/var/lib/kubeferry/packages has no kubelet-1.28.2-1.x86_64.rpm: this upgrade could not be \
          taken back"
        ]
    );
}

#[test]
fn copies_of_etcds_data_on_one_disk_are_added_up() {
    let member = upgraded(member(Role::Master));
    member.write("var/lib/etcd/member/snap/db", "");
    let path = member.node.root().join("var/lib/etcd/member/snap/db");
    let disk = rustix::fs::statvfs(member.node.root()).unwrap();
    let free = disk.f_bavail * disk.f_frsize;
    // With holes: it takes no space itself.
    std::fs::File::options().write(true).open(path).unwrap().set_len(free / 3).unwrap();
    let told = problems(&member.node);
    assert!(told[0].starts_with("4 copies of etcd's data need"), "{told:#?}");
    assert_eq!(told.len(), 1, "{told:#?}");
}

#[test]
fn what_the_api_server_does_not_tell_of_other_nodes_is_a_warning() {
    let member = upgraded(member(Role::Master));
    let warnings = || -> Vec<String> {
        let found = preflight::warnings(&member.node.look(None).0, &member.node.intent());
        found.iter().map(ToString::to_string).filter(|text| text.contains("node-2")).collect()
    };
    let only = "node-2 is the only worker: its pods have nowhere to go while it is upgraded";
    assert_eq!(warnings(), [only]);
    member.write("run/nodes", "node-1\nnode-2\nnode-3\n");
    assert_eq!(warnings(), [""; 0]);
    // kubelet tells of 50 at most.
    member.write("run/other-images", "50");
    let silent = "the API server does not tell whether the new images are on node-2, node-3";
    assert_eq!(warnings(), [silent]);
}

#[test]
fn what_was_written_by_hand_and_would_be_lost_is_told_before() {
    let member = upgraded(member(Role::Master));
    let warnings = || -> Vec<String> {
        let found = preflight::warnings(&member.node.look(None).0, &member.node.intent());
        found.iter().map(ToString::to_string).filter(|text| text.contains("somebody")).collect()
    };
    assert_eq!(warnings(), [""; 0]);
    let path = "/etc/kubernetes/manifests/kube-scheduler.yaml";
    member.write("run/by-hand", &format!("--- {path}\n+++ new manifest\n-    - --v=4\n"));
    let told = format!("kubeadm writes {path} anew, and takes back what somebody changed there");
    assert_eq!(warnings(), [format!("{told}: `--v=4`")]);
    member.write("run/by-hand", "error");
    assert!(warnings()[0].contains("kubeadm does not say"), "{:?}", warnings());
}

#[test]
fn no_minor_release_is_skipped_and_nothing_goes_back() {
    let skips: fn(&mut Intent) = |intent| {
        with(intent, "1.30.0", "1.7.2", &NEW);
        let from = "1.28.2".parse().unwrap();
        intent.upgrade = Some(Upgrading { from, drains: false });
    };
    let returns: fn(&mut Intent) = |intent| {
        with(intent, "1.28.1", "1.7.2", &NEW);
        let from = "1.28.2".parse().unwrap();
        intent.upgrade = Some(Upgrading { from, drains: false });
    };
    let early: fn(&mut Intent) = |intent| {
        let from = "1.27.16".parse().unwrap();
        intent.upgrade = Some(Upgrading { from, drains: false });
    };
    for (change, words) in [
        (skips, "that is more than one minor release"),
        (returns, "which is older"),
        (early, "upgrades from before 1.28 were not tried"),
    ] {
        let mut member = member(Role::Master);
        member.node.change = change;
        let told = problems(&member.node);
        assert!(told.iter().any(|one| one.contains(words)), "{told:#?}");
    }
    // A kubelet is never newer than the API server.
    let worker = upgraded(member(Role::Worker));
    assert_eq!(problems(&worker.node), [""; 0]);
    worker.write("run/api-version", "v1.28.2");
    let told = problems(&worker.node);
    assert!(told[0].starts_with("an API server has Kubernetes 1.28.2"), "{told:#?}");
    // Nor than that of another master.
    worker.write("run/api-version", "v1.29.1");
    worker.write("run/endpoints", "10.0.0.1 v1.29.1\n10.0.0.7 v1.28.2\n");
    assert_eq!(problems(&worker.node), told);
    worker.write("run/endpoints", "10.0.0.1 v1.29.1\n10.0.0.7 v1.29.1\n");
    assert_eq!(problems(&worker.node), [""; 0]);
}

#[test]
fn what_a_newer_kubelet_needs_of_the_node_is_asked_again() {
    let mut member = member(Role::Worker);
    member.node.change = |intent| {
        with(intent, "1.35.1", "1.7.2", &NEW);
        let from = "1.34.2".parse().unwrap();
        intent.upgrade = Some(Upgrading { from, drains: true });
        intent.facts.cgroup_v1 = true;
    };
    member.write("run/api-version", "v1.35.1");
    member.write("sys/fs/cgroup/cgroup.controllers", "cpu cpuset memory pids\n");
    let flags = "KUBELET_KUBEADM_ARGS=\"--pod-infra-container-image=registry.k8s.io/pause:3.8\"\n";
    member.write("var/lib/kubelet/kubeadm-flags.env", flags);
    let told = problems(&member.node);
    assert!(told.iter().all(|one| !one.contains("pod-infra")), "kubeadm removes it: {told:#?}");
    let words = "this node has version 1 of control groups";
    assert!(told.iter().any(|one| one.starts_with(words)), "{told:#?}");
}

#[test]
fn an_upgrade_in_the_middle_goes_on_with_its_own_bundle_only() {
    let mut member = upgraded(member(Role::Master));
    apply(&member.node, Some(Fault::Late(3))).end.unwrap_err();
    let open = receipt::upgrade(member.node.look(None).0.lines()).cloned().unwrap();
    assert_eq!(open.stage, Stage::Begun);
    assert_eq!(problems(&member.node), [""; 0]);
    member.node.change = |intent| {
        new(intent);
        with(intent, "1.29.2", "1.7.2", &NEW);
    };
    let told = problems(&member.node);
    assert!(
        told[0].contains("is being upgraded from Kubernetes 1.28.2 to 1.29.1, with another"),
        "{told:#?}"
    );
    // An install does not meddle.
    member.node.change = old;
    let told = problems(&member.node);
    assert_eq!(told[0], "this node is being upgraded from Kubernetes 1.28.2 to 1.29.1");
    // A made one can be taken back, until it is finished.
    member.node.change = new;
    apply(&member.node, None).end.unwrap();
    let mut host = member.node.look(None).0.open().unwrap();
    host.begin(Line::Upgrade(open.at(Stage::Made))).unwrap();
    drop(host);
    assert_eq!(problems(&member.node), [""; 0]);
    member.node.change = |intent| with(intent, "1.29.1", "1.7.2", &NEW);
    let told = problems(&member.node);
    assert_eq!(told, [""; 0], "an install of the new bundle");
}
