//! What else an upgrade leaves, and who knows of it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

use installer::doctor::diagnose;
use installer::engine::{reset, run};
use installer::receipt::{self, Line, Stage, StepName};
use installer::role::Role;
use installer::status::Status;
use installer::steps::order;
use installer::upgrade;

use super::{apply, member, upgraded};
use crate::node::kinds::BARE;
use crate::node::member::Member;
use crate::node::{Fault, Node};

#[test]
fn a_node_that_was_cordoned_before_stays_so_and_one_alone_is_not_drained() {
    let member = upgraded(member(Role::Master));
    member.write("run/cordoned", "");
    let made = apply(&member.node, None).commands.made();
    assert!(made.iter().all(|one| !one.contains("cordon node-1")), "{made:#?}");
    assert!(member.node.root().join("run/cordoned").exists());

    // Without an answer, a node does not count as alone.
    let silent = upgraded(super::member(Role::Master));
    silent.write("run/silent", "");
    let (host, _) = silent.node.look(None);
    let plan = run::plan(&host, &silent.node.intent(), &order::upgrade(Role::Master)).unwrap();
    drop(host);
    let drain = plan.iter().find(|one| one.step.name() == StepName::Drain).unwrap();
    // It may have just booted.
    let first = drain.changes[0].to_string();
    assert!(first.starts_with("wait for kubectl ") && first.contains("/readyz"), "{first}");
    let made = apply(&silent.node, None).commands.made();
    assert!(made.iter().any(|one| one.contains("pods/web-1/eviction")), "{made:#?}");

    let alone = upgraded(super::member(Role::Master));
    alone.write("run/nodes", "node-1\n");
    let made = apply(&alone.node, None).commands.made();
    assert!(made.iter().all(|one| !one.contains("cordon") && !one.contains("evict")), "{made:#?}");
}

/// kubelet does not run then, and nothing but the rest of the restart starts it.
#[test]
fn a_restart_that_was_cut_short_goes_on_although_the_api_server_is_silent() {
    for nodes in ["node-1\n", "node-1\nnode-2\n"] {
        let of = || {
            let member = upgraded(super::member(Role::Master));
            member.write("run/nodes", nodes);
            member
        };
        let made = apply(&of().node, None).commands.made();
        let nth = made.iter().position(|one| one == "systemctl stop kubelet").unwrap();
        let member = of();
        let run = AssertUnwindSafe(|| apply(&member.node, Some(Fault::Killed(nth))).end);
        assert!(catch_unwind(run).is_err());
        member.write("run/api-silent", "");
        drop(fs::remove_file(member.node.root().join("run/systemd/active/kubelet")));
        let applied = apply(&member.node, None);
        applied.end.unwrap_or_else(|error| panic!("{nodes:?}: {error:#}"));
    }
}

#[test]
fn doctor_and_status_know_an_upgrade_in_the_middle_and_a_node_left_cordoned() {
    let member = upgraded(member(Role::Worker));
    let causes = || -> Vec<String> {
        let found = diagnose(&member.node.look(None).0).findings;
        found.into_iter().map(|one| format!("{}: {}", one.cause, one.cure)).collect()
    };
    let nth = {
        let whole = upgraded(super::member(Role::Worker));
        let made = apply(&whole.node, None).commands.made();
        made.iter().position(|one| one.ends_with(" cordon node-1")).unwrap()
    };
    let run = AssertUnwindSafe(|| apply(&member.node, Some(Fault::Killed(nth))).end);
    drop(catch_unwind(run));
    let found = causes();
    let words = "the upgrade of this node from Kubernetes 1.28.2 to 1.29.1 has not ended: go on";
    assert!(found[0].starts_with(words), "{found:#?}");
    let status = Status::gather(&member.node.look(None).0);
    assert_eq!(status.upgrade.unwrap().stage, Stage::Begun);
    let mut host = member.node.look(None).0.open().unwrap();
    let open = receipt::upgrade(host.lines()).unwrap().at(Stage::Finished);
    host.begin(Line::Upgrade(open)).unwrap();
    drop(host);
    let cause = "no new pods come to this node: an upgrade has cordoned it: kubectl --kubeconfig \
                 /etc/kubernetes/kubelet.conf uncordon node-1";
    assert!(causes().iter().any(|one| one == cause), "{:#?}", causes());
    member.type_in("kubectl --kubeconfig /etc/kubernetes/kubelet.conf uncordon node-1");
    assert!(causes().iter().all(|one| one != cause));
}

#[test]
fn doctor_knows_a_kubelet_that_does_not_fit_its_api_server() {
    // The double's kubelet is 1.28.2.
    for (api, words) in [
        ("v1.27.9", "kubelet 1.28.2 is newer than the API server, 1.27.9"),
        ("v1.28.0", ""),
        ("v1.31.4", ""),
        ("v1.32.0", "kubelet 1.28.2 is too old for the API server, 1.32.0"),
    ] {
        let member = Member::new(Role::Worker);
        member.write("run/api-version", api);
        let found = member.diagnose().findings;
        let causes: Vec<&str> = found.iter().map(|one| one.cause.as_str()).collect();
        let expected: Vec<&str> = Some(words).into_iter().filter(|one| !one.is_empty()).collect();
        assert_eq!(causes, expected, "{api}");
    }
}

#[test]
fn old_images_go_when_an_upgrade_is_finished() {
    let member = upgraded(member(Role::Master));
    let images = member.read("run/images");
    member.write("run/images", &format!("{images}registry.k8s.io/pause:3.8\n"));
    apply(&member.node, None).end.unwrap();
    let old = member.read("var/lib/kubeferry/upgrade/old-images");
    assert_eq!(old, "registry.k8s.io/pause:3.8\n", "the bundle has no other etcd");
    let image = |id: &str, tags: &[&str]| serde_json::json!({"id": id, "repoTags": tags});
    let all = [
        image("sha256:old", &["registry.k8s.io/pause:3.8"]),
        image("sha256:new", &["registry.k8s.io/pause:3.9"]),
        image("sha256:both", &["registry.k8s.io/pause:3.8", "registry.k8s.io/pause:3.9"]),
    ];
    member.write("run/crictl-images", &serde_json::json!({ "images": all }).to_string());
    let (host, commands) = member.node.look(None);
    let mut host = host.open().unwrap();
    assert_eq!(upgrade::release(&mut host).unwrap(), 1);
    upgrade::forget(&mut host, Stage::Finished).unwrap();
    assert!(commands.made()[0].ends_with("rmi sha256:old"), "{:?}", commands.made());
    assert!(!member.node.root().join("var/lib/kubeferry/upgrade").exists());
}

#[test]
fn a_reset_takes_the_node_back_to_bare() {
    let bare = Node::new(Role::Worker, &BARE);
    let dnf = bare.root().join("usr/bin/dnf");
    fs::create_dir_all(dnf.parent().unwrap()).unwrap();
    fs::write(dnf, "").unwrap();
    let member = upgraded(member(Role::Worker));
    apply(&member.node, None).end.unwrap();
    let mut host = member.node.look(None).0.open().unwrap();
    assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
    reset::forget(&host).unwrap();
    assert_eq!(member.read("run/packages"), "", "all packages were ours");
    for path in ["var/lib/kubeferry", "opt/kubernetes/kubeadm-joined.yaml"] {
        assert!(!member.node.root().join(path).exists(), "{path}");
    }
}

#[test]
fn an_upgrade_that_nobody_finishes_is_told_after_a_day() {
    let member = upgraded(member(Role::Worker));
    apply(&member.node, None).end.unwrap();
    let warned = || {
        let found = diagnose(&member.node.look(None).0).warnings;
        let words = "is not declared finished";
        found.into_iter().filter(|one| one.cause.contains(words)).collect::<Vec<_>>()
    };
    let hours = |hours: u64| {
        let copy = fs::File::open(member.node.root().join("var/lib/kubeferry/upgrade/copy"));
        let ago = Duration::from_secs(hours * 3600);
        copy.unwrap().set_modified(SystemTime::now() - ago).unwrap();
    };
    hours(25);
    assert_eq!(warned(), [], "it has not ended yet");
    let mut host = member.node.look(None).0.open().unwrap();
    let made = receipt::upgrade(host.lines()).unwrap().at(Stage::Made);
    host.begin(Line::Upgrade(made)).unwrap();
    drop(host);
    let found = warned();
    assert!(found[0].cause.contains("was begun 25 hours ago"), "{found:?}");
    assert!(found[0].cure.starts_with("./installer upgrade --finish"), "{found:?}");
    hours(23);
    assert_eq!(warned(), []);
}
