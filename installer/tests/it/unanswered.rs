//! Questions that a node does not answer: that is not taken for a no.

use std::collections::BTreeSet;
use std::fs;

use installer::doctor::diagnose;
use installer::engine::run;
use installer::exec::Command;
use installer::failure::describe;
use installer::install::Steps;
use installer::preflight;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::{images, order};

use crate::node::kinds::{self, firewalled};
use crate::node::member::Member;
use crate::node::{Fault, Node};

/// What is asked of a node with firewalld, and what a wrong no would do.
const QUESTIONS: &[&str] = &[
    // firewalld would stay closed; what runs would not be started anew.
    "systemctl is-active firewalld",
    "systemctl is-active containerd",
    "systemctl is-active chronyd",
    // Another file than containerd's would be edited.
    "systemctl show --property=ExecStart",
    // A reset would disable what was enabled before.
    "systemctl is-enabled containerd",
    // A site's time service would go on beside chrony.
    "systemctl is-active ntpd",
    // A reset would remove what was installed before.
    "rpm -qa",
    "busctl --timeout=110 -- call org.fedoraproject.FirewallD1 \
     /org/fedoraproject/FirewallD1 org.fedoraproject.FirewallD1.zone getZoneSettings2 s public",
    "busctl --timeout=110 -- call org.fedoraproject.FirewallD1 \
     /org/fedoraproject/FirewallD1 org.fedoraproject.FirewallD1.policy getPolicySettings",
    "busctl --timeout=110 -- call org.fedoraproject.FirewallD1 \
     /org/fedoraproject/FirewallD1/config org.fedoraproject.FirewallD1.config getZoneByName s block",
    "busctl --timeout=110 -- call org.fedoraproject.FirewallD1 \
     /org/fedoraproject/FirewallD1/config/zone/trusted org.fedoraproject.FirewallD1.config.zone",
    "busctl --timeout=110 -- call org.fedoraproject.FirewallD1 \
     /org/fedoraproject/FirewallD1/config org.fedoraproject.FirewallD1.config getPolicyByName",
    "ip -o -4 addr show",
    "chronyc -c sources",
];

#[test]
fn a_plan_is_not_made_of_questions_that_were_not_answered() {
    for question in QUESTIONS {
        for (fault, why) in [
            (Fault::Mute(question), "was ended by a signal"),
            (Fault::Hung(question), "did not answer within 120 s"),
        ] {
            let node = firewalled(Role::Worker);
            let (host, commands) = node.look(Some(fault));
            let end = run::plan(&host, &node.intent(), &node.steps()).map(drop);
            let error = format!("{:#}", end.unwrap_err());
            assert!(error.contains(question) && error.contains(why), "{question}: {error}");
            assert!(commands.made().is_empty());
        }
    }
}

#[test]
fn what_is_awaited_in_vain_is_told_with_its_last_words() {
    let node = kinds::bare(Role::Worker);
    let command = Command::of("kubectl get node node-1");
    fs::write(node.root().join("run/api-says"), "connection refused\n").unwrap();
    let told = |fault| {
        let mut host = node.look(fault).0;
        describe(&host.await_success(&command, 0).unwrap_err(), None)
    };
    let awaited = "error: waited 0 s in vain for `kubectl get node node-1`, which last ";
    let cure = "\nhint: `installer doctor` says what is wrong with this node\n";
    let refused = "exited with status 1: connection refused";
    assert_eq!(told(None), format!("{awaited}{refused}{cure}"));
    let hung = "did not answer within 1 s";
    assert_eq!(told(Some(Fault::Hung("kubectl get"))), format!("{awaited}{hung}{cure}"));
}

#[test]
fn what_preflight_could_not_ask_is_in_the_way() {
    let node = kinds::bare(Role::Master);
    for question in ["rpm -qa", "ss -ltn", "systemctl is-active docker", "modprobe --dry-run"] {
        let (host, _) = node.look(Some(Fault::Mute(question)));
        let problems = preflight::problems(&host, &node.intent());
        assert!(problems.iter().any(|one| one.to_string().contains(question)), "{question}");
    }
}

#[test]
fn images_take_up_no_more_room_while_containerd_does_not_say_which_it_has() {
    let member = Member::new(Role::Worker);
    let held = |fault| images::held(&member.node.look(fault).0).unwrap();
    let pause: BTreeSet<String> = ["registry.k8s.io/pause:3.9".to_owned()].into();
    let silent = || Some(Fault::Mute("ctr"));
    member.write("var/lib/containerd/io.containerd.content.v1.content/blobs/x", "");
    assert_eq!(held(None), Some(pause));
    assert_eq!(held(silent()), None);
    assert_eq!(held(Some(Fault::Hung("ctr"))), None);
    // One that has kept nothing yet has none.
    member.remove("var/lib/containerd/io.containerd.content.v1.content/blobs/x");
    assert_eq!(held(silent()), Some(BTreeSet::new()));
}

#[test]
fn the_doctor_tells_what_it_could_not_ask() {
    let member = Member::new(Role::Worker);
    for question in ["systemctl is-active kubelet", "chronyc -c tracking"] {
        for fault in [Fault::Mute(question), Fault::Hung(question)] {
            let diagnosis = diagnose(&member.node.look(Some(fault)).0);
            assert_eq!(diagnosis.findings, [], "{question}");
            assert!(diagnosis.unknown.iter().any(|one| one.contains(question)), "{diagnosis:?}");
        }
    }
    // That crictl says nothing at all is no sign that there is none.
    let found = diagnose(&member.node.look(Some(Fault::Hung("crictl"))).0).findings;
    assert_eq!(found[0].cause, "containerd runs, but does not answer CRI");
}

/// Plans just one of the role's steps.
fn planned(node: &Node, step: StepName) -> anyhow::Result<Vec<String>> {
    let mut steps: Steps = order::steps(node.role);
    steps.retain(|one| one.name() == step);
    // Its API server says nothing.
    let (host, _) = node.look(Some(Fault::Mute("kubectl")));
    let plan = run::plan(&host, &node.intent(), &steps)?;
    let changes = plan.into_iter().flat_map(|planned| planned.changes);
    Ok(changes.map(|change| change.to_string()).collect())
}

#[test]
fn a_node_whose_api_server_is_silent_is_not_made_anew() {
    for (role, step, left) in [
        (Role::Master, StepName::ControlPlane, "var/lib/etcd/member/snap/db"),
        (Role::Worker, StepName::Join, "etc/kubernetes/kubelet.conf"),
    ] {
        let node = kinds::bare(role);
        let write = |path: &str, text: &str| {
            let path = node.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("etc/kubernetes/admin.conf", "");
        write(left, "");
        let deed = format!(
            "{{\"line\":\"receipt\",\"version\":1}}\n{{\"line\":\"deed\",\"step\":\"{step}\",\
             \"deed\":{{\"did\":\"made\",\"path\":\"/x\"}}}}\n"
        );
        // One that was cut short is cleared first.
        write("var/lib/kubeferry/receipt.jsonl", &deed);
        let cleared = planned(&node, step).unwrap();
        assert!(cleared.iter().any(|change| change.contains("kubeadm reset")), "{cleared:?}");

        let finished = format!("{deed}{{\"line\":\"finished\",\"step\":\"{step}\"}}\n");
        write("var/lib/kubeferry/receipt.jsonl", &finished);
        let waiting = planned(&node, step).unwrap();
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        assert!(waiting[0].starts_with("wait for kubectl "), "{waiting:?}");
        if role == Role::Master {
            // And not for kube-proxy, which a site may have taken out.
            assert!(waiting[0].contains(" get --raw /readyz"), "{waiting:?}");
            // Its kubeconfig is no reason either.
            fs::remove_file(node.root().join("etc/kubernetes/admin.conf")).unwrap();
            let error = describe(&planned(&node, step).unwrap_err(), None);
            assert!(error.contains("admin.conf is gone\n"), "{error}");
            assert!(error.contains("hint: `installer doctor` may say why"), "{error}");
        }

        // After a reset by hand nothing is left that could be lost.
        fs::remove_file(node.root().join(left)).unwrap();
        fs::remove_dir(node.root().join("var/lib/etcd/member/snap")).ok();
        fs::remove_dir(node.root().join("var/lib/etcd/member")).ok();
        let anew = planned(&node, step).unwrap();
        assert!(anew.iter().any(|change| change.contains("run kubeadm ")), "{anew:?}");
        assert!(!anew.iter().any(|change| change.contains("kubeadm reset")), "{anew:?}");
    }
}

#[test]
fn a_node_that_its_cluster_does_not_know_is_told_how_it_enters_anew() {
    let node = kinds::bare(Role::Worker);
    for (path, text) in [
        ("etc/kubernetes/kubelet.conf", ""),
        (
            "var/lib/kubeferry/receipt.jsonl",
            "{\"line\":\"receipt\",\"version\":1}\n{\"line\":\"finished\",\"step\":\"join\"}\n",
        ),
        ("run/api-says", "Error from server (NotFound): nodes \"node-1\" not found\n"),
    ] {
        let path = node.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut steps: Steps = order::steps(Role::Worker);
    steps.retain(|step| step.name() == StepName::Join);
    let plan = |node: &Node| run::plan(&node.look(None).0, &node.intent(), &steps).map(drop);
    let error = describe(&plan(&node).unwrap_err(), None);
    assert!(error.contains("kubelet.conf shows, and is not known there now"), "{error}");
    assert!(error.contains("kubeadm reset --force"), "{error}");
    fs::write(node.root().join("run/api-says"), "connection refused\n").unwrap();
    plan(&node).unwrap();
}

#[test]
fn a_master_whose_site_took_out_kube_proxy_is_in_its_cluster() {
    let node = kinds::bare(Role::Master);
    let receipt = "{\"line\":\"receipt\",\"version\":1}\n\
                   {\"line\":\"finished\",\"step\":\"control-plane\"}\n";
    let nodes = "{\"items\":[{\"metadata\":{\"name\":\"node-1\",\"labels\":\
                 {\"node-role.kubernetes.io/control-plane\":\"\"}},\"status\":{\"nodeInfo\":\
                 {\"kubeletVersion\":\"v1.28.2\"},\"addresses\":\
                 [{\"type\":\"InternalIP\",\"address\":\"10.0.0.1\"}]}}]}";
    for (path, text) in [
        ("etc/kubernetes/admin.conf", ""),
        ("var/lib/etcd/member/snap/db", ""),
        ("var/lib/kubeferry/receipt.jsonl", receipt),
        ("run/api-nodes.json", nodes),
    ] {
        let path = node.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let question = "kubectl --cache-dir /var/lib/kubeferry/kubectl --kubeconfig \
                    /etc/kubernetes/admin.conf --request-timeout 10s -n kube-system get daemonset";
    let mut steps: Steps = order::steps(Role::Master);
    steps.retain(|step| step.name() == StepName::ControlPlane);
    let (host, _) = node.look(Some(Fault::Mute(question)));
    let plan = run::plan(&host, &node.intent(), &steps).unwrap();
    let changes: Vec<_> = plan.iter().flat_map(|planned| &planned.changes).collect();
    assert!(changes.is_empty(), "{changes:?}");
}

#[test]
fn a_step_that_needed_no_more_after_an_interruption_is_finished() {
    let node = kinds::bare(Role::Worker);
    node.apply(None).end.unwrap();
    let receipt = node.root().join("var/lib/kubeferry/receipt.jsonl");
    let deed =
        "{\"line\":\"deed\",\"step\":\"swap\",\"deed\":{\"did\":\"made\",\"path\":\"/x\"}}\n";
    let interrupt = || {
        let text = fs::read_to_string(&receipt).unwrap() + deed;
        fs::write(&receipt, text).unwrap();
        assert!(node.look(None).0.was_interrupted(StepName::Swap));
    };
    interrupt();
    assert_eq!(node.apply(None).end.unwrap(), 0);
    assert!(!node.look(None).0.was_interrupted(StepName::Swap));

    interrupt();
    let (host, _) = node.look(None);
    let plan = run::plan(&host, &node.intent(), &node.steps()).unwrap();
    run::settle(host, &plan).unwrap();
    assert!(!node.look(None).0.was_interrupted(StepName::Swap));
    let length = fs::metadata(&receipt).unwrap().len();
    let (host, _) = node.look(None);
    run::settle(host, &plan).unwrap();
    assert_eq!(fs::metadata(&receipt).unwrap().len(), length, "nothing more is noted");
}
