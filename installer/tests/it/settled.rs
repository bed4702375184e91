//! A cluster file that has changed, on a node that is in its cluster.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bundle_format::Digest;
use bundle_format::cluster::{CgroupDriver, Cluster, Firewall, NodeName, ProxyMode};
use installer::engine::run;
use installer::install::Change;
use installer::intent::Intent;
use installer::node::kubeadm;
use installer::preflight::settled;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::order;

use crate::node::{Node, kinds};

/// A node that is set up, and in its cluster as far as files tell.
fn member(role: Role) -> Node {
    let node = kinds::bare(role);
    node.apply(None).end.unwrap();
    let intent = node.intent();
    let settings = intent.settings();
    let (path, text) = match &intent.join {
        None => ("opt/kubernetes/kubeadm.yaml", kubeadm::init_configuration(&settings)),
        Some(join) => {
            ("opt/kubernetes/kubeadm-joined.yaml", kubeadm::joined_configuration(&settings, join))
        }
    };
    let text = text.unwrap();
    assert!(!text.contains("abcdef"), "no token is kept");
    let mut files = vec![(path, text.as_str()), ("etc/kubernetes/kubelet.conf", "")];
    files.push(("var/lib/kubelet/config.yaml", "maxPods: 110\nstaticPodPath: /x\n"));
    if role == Role::Master {
        files.push(("etc/kubernetes/admin.conf", ""));
    }
    for (path, text) in files {
        let path = node.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    node
}

/// What is refused of an intention that was changed.
fn refused(node: &Node, change: impl Fn(&mut Intent)) -> Vec<String> {
    let mut intent = node.intent();
    change(&mut intent);
    let problems = settled::problems(&node.look(None).0, &intent);
    assert!(problems.iter().all(|problem| problem.cure().len() > 20));
    problems.iter().map(ToString::to_string).collect()
}

fn set(change: impl Fn(&mut Cluster)) -> impl Fn(&mut Intent) {
    move |intent| change(&mut intent.cluster)
}

fn shown(text: &[u8]) -> &str {
    std::str::from_utf8(text).unwrap()
}

#[test]
fn what_kubeadm_was_told_is_settled() {
    let of = |name: &str, old: &str, new: &str| {
        vec![format!("{name} is {old} on this node, and cannot become {new}")]
    };
    for role in [Role::Master, Role::Worker] {
        let node = member(role);
        assert_eq!(refused(&node, |_| ()), [""; 0]);
        let pods = set(|cluster| cluster.pod_cidr = "10.9.0.0/16".parse().unwrap());
        assert_eq!(refused(&node, pods), of("podCidr", "10.244.0.0/16", "10.9.0.0/16"));
        let services = set(|cluster| cluster.service_cidr = "10.8.0.0/16".parse().unwrap());
        assert_eq!(refused(&node, services), of("serviceCidr", "10.96.0.0/12", "10.8.0.0/16"));
        let proxy = set(|cluster| cluster.proxy_mode = ProxyMode::Ipvs);
        assert_eq!(refused(&node, proxy), of("proxyMode", "iptables", "ipvs"));
        let driver = set(|cluster| cluster.cgroup_driver = CgroupDriver::Cgroupfs);
        assert_eq!(refused(&node, driver), of("cgroupDriver", "systemd", "cgroupfs"));
        let part = set(|cluster| {
            cluster.kubeadm = serde_json::from_str("{\"scheduler\": {\"v\": 4}}").unwrap();
        });
        let arguments = "{\"extraArgs\":{\"v\":\"4\"}}";
        assert_eq!(refused(&node, part), of("kubeadm.scheduler", "nothing", arguments));
        let labels = set(|cluster| {
            let node =
                "{\"name\": \"node-1\", \"address\": \"10.0.0.2\", \"labels\": {\"a\": \"b\"}}";
            cluster.nodes = vec![serde_json::from_str(node).unwrap()];
        });
        assert_eq!(refused(&node, labels), of("labels", "nothing", "a=b"));
        let name = |intent: &mut Intent| {
            intent.name = NodeName::try_from("other".to_owned()).unwrap();
        };
        assert_eq!(refused(&node, name), of("the node's name", "node-1", "other"));
        let address = |intent: &mut Intent| intent.address = [10, 0, 0, 7].into();
        let told = refused(&node, address);
        assert_eq!(
            told.last().cloned().into_iter().collect::<Vec<_>>(),
            of("the node's address", "10.0.0.2", "10.0.0.7")
        );
        let other = match role {
            Role::Master => Role::Worker,
            Role::Worker => Role::Master,
        };
        let told = refused(&node, |intent| intent.role = other);
        assert_eq!(told, [format!("this node is a {role}, and cannot become a {other}")]);
    }
    let endpoint = set(|cluster| cluster.endpoint = Some("lb:6443".to_owned()));
    assert_eq!(
        refused(&member(Role::Master), endpoint),
        of("endpoint", "10.0.0.2:6443", "lb:6443")
    );
    let told = refused(&member(Role::Worker), |intent| {
        let join = intent.join.as_mut().unwrap();
        join.endpoint = "lb:6443".to_owned();
        join.ca_cert_hash = Digest::of(b"another");
        join.token = "a.b".to_owned();
    });
    assert_eq!(told.len(), 2, "the endpoint and the authority, and not the token: {told:?}");
}

#[test]
fn a_node_of_an_earlier_version_has_iptables_without_a_word() {
    for role in [Role::Master, Role::Worker] {
        let node = member(role);
        for path in ["opt/kubernetes/kubeadm.yaml", "opt/kubernetes/kubeadm-joined.yaml"] {
            let path = node.root().join(path);
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let (before, _) = text.split_once("---\napiVersion: kubeproxy").unwrap();
            fs::write(path, before).unwrap();
        }
        assert_eq!(refused(&node, |_| ()), [""; 0]);
        let told = refused(&node, set(|cluster| cluster.proxy_mode = ProxyMode::Nftables));
        assert_eq!(told, ["proxyMode is iptables on this node, and cannot become nftables"]);
    }
}

#[test]
fn nothing_is_settled_before_or_without_kubeadms_word() {
    let pods = set(|cluster| cluster.pod_cidr = "10.9.0.0/16".parse().unwrap());
    for role in [Role::Master, Role::Worker] {
        let node = member(role);
        for path in ["etc/kubernetes/admin.conf", "etc/kubernetes/kubelet.conf"] {
            drop(fs::remove_file(node.root().join(path)));
        }
        assert_eq!(refused(&node, &pods), [""; 0]);
        let node = member(role);
        for path in ["opt/kubernetes/kubeadm.yaml", "opt/kubernetes/kubeadm-joined.yaml"] {
            drop(fs::remove_file(node.root().join(path)));
        }
        assert_eq!(refused(&node, &pods), [""; 0]);
    }
}

#[test]
fn the_rest_is_applied_as_a_difference() {
    for role in [Role::Master, Role::Worker] {
        let node = member(role);
        let planned = |change: &dyn Fn(&mut Cluster)| {
            let mut intent = node.intent();
            change(&mut intent.cluster);
            assert!(settled::problems(&node.look(None).0, &intent).is_empty());
            let plan = run::plan(&node.look(None).0, &intent, &node.steps()).unwrap();
            let mut steps = plan.into_iter().filter(|planned| !planned.changes.is_empty());
            let found = steps.next().map(|planned| (planned.step.name(), planned.changes));
            assert!(steps.next().is_none(), "only one step has something to do");
            found
        };
        assert_eq!(planned(&|_| ()), None);
        let (step, changes) =
            planned(&|cluster| cluster.ntp_servers = vec!["10.0.0.250".to_owned()]).unwrap();
        assert_eq!(step, StepName::Time);
        assert!(matches!(&changes[0], Change::Write { path, text, then: Some(then), .. }
            if path.ends_with("chrony.conf") && shown(text).contains("server 10.0.0.250 iburst\n")
                && then.to_string() == "systemctl restart chronyd"));
        let (step, changes) = planned(&|cluster| {
            cluster.kubelet.insert("maxPods".to_owned(), 50.into());
        })
        .unwrap();
        assert_eq!(step, StepName::KubeletSettings);
        assert!(matches!(&changes[..], [Change::Write { text, then: Some(_), .. }]
            if shown(text) == "maxPods: 50\nstaticPodPath: /x\n"));
        let (step, _) = planned(&|cluster| {
            let name = NodeName::try_from("late".to_owned()).unwrap();
            let address = [10, 0, 0, 9].into();
            cluster.nodes.push(bundle_format::cluster::Member::new(name, address));
        })
        .unwrap();
        assert_eq!(step, StepName::Hosts);
        assert_eq!(planned(&|cluster| cluster.firewall = Firewall::Flush), None, "it has none");
        for word in ["active", "enabled"] {
            fs::write(node.root().join(format!("run/systemd/{word}/firewalld")), "").unwrap();
        }
        let (step, changes) = planned(&|cluster| cluster.firewall = Firewall::Flush).unwrap();
        assert_eq!((step, changes.len()), (StepName::Firewall, 1));
    }
}

#[test]
fn a_worker_keeps_how_it_joins_before_it_does_and_without_the_token() {
    let node = kinds::bare(Role::Worker);
    let mut steps = order::steps(Role::Worker);
    steps.retain(|step| step.name() == StepName::Join);
    let plan = run::plan(&node.look(None).0, &node.intent(), &steps).unwrap();
    let changes = &plan[0].changes;
    let place = |found: &dyn Fn(&Change) -> bool| changes.iter().position(found).unwrap();
    let kept = place(&|change| {
        matches!(change, Change::Write { path, text, mode: 0o600, .. }
            if path.ends_with("kubeadm-joined.yaml") && !shown(text).contains("abcdef"))
    });
    let joins = place(&|change| {
        matches!(change, Change::Run { command, .. }
            if command.to_string().starts_with("kubeadm join "))
    });
    assert!(kept < joins);
}

#[test]
fn what_kubeadm_is_told_is_for_root_alone() {
    let node = kinds::bare(Role::Master);
    let path = "/opt/kubernetes/kubeadm.yaml";
    let text = kubeadm::init_configuration(&node.intent().settings()).unwrap();
    let real = node.root().join("opt/kubernetes/kubeadm.yaml");
    fs::create_dir_all(real.parent().unwrap()).unwrap();
    let mut steps = order::steps(Role::Master);
    steps.retain(|step| step.name() == StepName::ControlPlane);
    // An argument of the control plane may be a secret; an older one was open.
    let written = |mode| {
        fs::write(&real, &text).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(mode)).unwrap();
        let plan = run::plan(&node.look(None).0, &node.intent(), &steps).unwrap();
        plan[0].changes.iter().find_map(|change| match change {
            Change::Write { path: of, mode, .. } if of == Path::new(path) => Some(*mode),
            _ => None,
        })
    };
    assert_eq!(written(0o644), Some(0o600));
    assert_eq!(written(0o600), None);
}
