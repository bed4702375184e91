//! One address for several masters: keepalived is told of it, at once and when the
//! cluster file changes, and a reset takes all of it back.

use std::fs;
use std::process::Command;

use bundle_format::cluster::Cluster;
use installer::engine::run;
use installer::install::{Change, Steps};
use installer::intent::Intent;
use installer::receipt::StepName;
use installer::role::Role;
use installer::status::Status;
use installer::steps::{order, virtual_address};

use crate::node::join::for_master;
use crate::node::{Node, kinds};

const CONFIG: &str = "etc/keepalived/keepalived.conf";
const CHECK: &str = "usr/libexec/keepalived/kubeferry-readyz";

/// Three masters, of which this one is the first.
const MASTERS: &str = "nodes:\n\
    - {name: node-1, address: 10.0.0.2, role: master}\n\
    - {name: node-2, address: 10.0.0.3, role: master}\n\
    - {name: node-3, address: 10.0.0.4, role: master}\n\
    - {name: node-4, address: 10.0.0.5}\n\
    controlPlane: {vip: 10.0.0.100}\n";
const ALONE: &str = "nodes: [{name: node-1, address: 10.0.0.2, role: master}]\n\
    controlPlane: {vip: 10.0.0.100, interface: eth0, routerId: 7}\n";

pub(crate) fn intent(node: &Node, cluster: &str) -> Intent {
    let cluster: Cluster = serde_saphyr::from_str(cluster).unwrap();
    Intent { cluster, ..node.intent() }
}

pub(crate) fn told(intent: &Intent) -> String {
    let control_plane = intent.cluster.control_plane.as_ref().unwrap();
    virtual_address::configuration(intent, control_plane).unwrap()
}

fn step() -> Steps {
    let mut steps = order::steps(Role::Master);
    steps.retain(|step| step.name() == StepName::VirtualAddress);
    assert_eq!(steps.len(), 1);
    steps
}

fn plan(node: &Node, intent: &Intent) -> Vec<String> {
    let (host, commands) = node.look(None);
    let plan = run::plan(&host, intent, &step()).unwrap();
    assert!(commands.made().is_empty(), "a plan only looks");
    plan.iter().flat_map(|planned| &planned.changes).map(Change::to_string).collect()
}

fn apply(node: &Node, intent: &Intent) {
    let mut host = node.look(None).0.open().unwrap();
    run::apply(&mut host, intent, &step(), &mut |_, _, _| ()).unwrap();
}

#[test]
fn keepalived_gets_the_address_and_a_reset_takes_it_back() {
    let node = kinds::bare(Role::Master);
    let package = "# The package's example.\n";
    fs::create_dir_all(node.root().join("etc/keepalived")).unwrap();
    fs::write(node.root().join(CONFIG), package).unwrap();
    let before = node.tree();
    let three = intent(&node, MASTERS);
    assert_eq!(
        plan(&node, &three),
        [
            "write /usr/libexec/keepalived/kubeferry-readyz",
            "write /etc/keepalived/keepalived.conf",
            "write /etc/systemd/system/keepalived.service.d/kubeferry.conf, and run systemctl \
             daemon-reload",
            "run systemctl enable keepalived",
            "run systemctl start keepalived",
            "wait for grep --quiet --fixed-strings --word-regexp 10.0.0.100 /proc/net/fib_trie, \
             30 s at most",
        ]
    );
    apply(&node, &three);
    assert_eq!(plan(&node, &three), [""; 0]);
    let read = |path: &str| fs::read_to_string(node.root().join(path)).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        insta::assert_snapshot!("keepalived", format!("{}\n{}", read(CONFIG), read(CHECK)));
    });
    assert_eq!(node.tree()[CHECK].0, 0o755);

    // A running keepalived keeps the address while it reads its file again.
    let two =
        intent(&node, &MASTERS.replace("- {name: node-3, address: 10.0.0.4, role: master}", ""));
    let reload = "write /etc/keepalived/keepalived.conf, and run systemctl reload keepalived";
    assert_eq!(plan(&node, &two), [reload]);
    apply(&node, &two);
    assert!(!read("run/systemd/active/keepalived").contains("10.0.0.4"));

    // A balancer of the site takes its place.
    let none = intent(&node, "endpoint: 10.0.0.100:6443\n");
    assert_eq!(
        plan(&node, &none),
        [
            "run systemctl disable keepalived",
            "run systemctl stop keepalived",
            "remove /etc/keepalived/keepalived.conf",
            "remove /usr/libexec/keepalived/kubeferry-readyz",
            "remove /etc/systemd/system/keepalived.service.d/kubeferry.conf",
            "run systemctl daemon-reload",
        ]
    );
    apply(&node, &none);
    assert_eq!(plan(&node, &none), [""; 0]);
    apply(&node, &three);
    node.assert_goes_back(&before, "the masters' address");
}

/// Where the masters reach each other, they speak; the address may be elsewhere.
#[test]
fn masters_speak_on_the_interface_of_their_own_addresses() {
    let node = kinds::bare(Role::Master);
    let other = MASTERS.replace("{vip: 10.0.0.100}", "{vip: 10.9.0.100, interface: eth1}");
    let text = told(&intent(&node, &other));
    for words in [
        "    interface eth0\n",
        "    track_interface {\n        eth1\n    }\n",
        "        10.9.0.100 dev eth1\n",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!told(&intent(&node, MASTERS)).contains("track_interface"));
}

/// Nobody knows the interfaces of a folder, and a plan for it is shown all the same.
#[test]
fn a_folder_gets_a_plan() {
    let node = kinds::bare(Role::Master);
    let mut intent = intent(&node, MASTERS);
    intent.facts.addresses.clear();
    assert!(told(&intent).contains("        10.0.0.100 dev INTERFACE\n"));
}

/// Until its API server runs, a further master must not take the address: it may not hear
/// those that hold it.
#[test]
fn a_further_master_gets_its_part_when_it_has_joined() {
    let node = kinds::bare(Role::Master);
    let place = |intent: &Intent, wanted: StepName| {
        order::of(intent).iter().position(|step| step.name() == wanted).unwrap()
    };
    let mut intent = intent(&node, MASTERS);
    let (address, plane) = (StepName::VirtualAddress, StepName::ControlPlane);
    assert!(place(&intent, address) < place(&intent, plane));
    intent.join = Some(for_master(intent.cluster.clone()));
    assert_eq!(place(&intent, address), place(&intent, plane) + 1);
    assert_eq!(order::of(&intent).len(), order::steps(Role::Master).len());
}

#[test]
fn what_is_not_ours_stays() {
    let node = kinds::bare(Role::Master);
    fs::create_dir_all(node.root().join("etc/keepalived")).unwrap();
    fs::write(node.root().join(CONFIG), "vrrp_instance site {\n}\n").unwrap();
    assert_eq!(plan(&node, &intent(&node, "{}")), [""; 0]);
}

#[test]
fn the_address_is_no_nodes_own() {
    let node = kinds::bare(Role::Master);
    let intent = intent(&node, ALONE);
    assert_eq!(intent.endpoint(), "10.0.0.100:6443");
    apply(&node, &intent);
    let facts = installer::node::facts::Facts::gather(&node.look(None).0).unwrap();
    assert_eq!(facts.address(None, None).unwrap().to_string(), "10.0.0.2");
    let held = |node: &Node| {
        let one = Status::gather(&node.look(None).0).virtual_address.unwrap();
        (one.address.to_string(), one.is_held_here)
    };
    assert_eq!(held(&node), ("10.0.0.100".to_owned(), Some(true)));
    fs::write(node.root().join("run/held-elsewhere"), "").unwrap();
    assert_eq!(held(&node), ("10.0.0.100".to_owned(), Some(false)));
    assert_eq!(Status::gather(&kinds::bare(Role::Worker).look(None).0).virtual_address, None);
}

/// An interface of this machine that keepalived accepts.
fn interface() -> Option<String> {
    // `IFF_MULTICAST` of linux/if.h.
    const MULTICAST: u32 = 0x1000;
    let folders = fs::read_dir("/sys/class/net").ok()?.filter_map(Result::ok);
    let is_one = |folder: &fs::DirEntry| {
        let flags = fs::read_to_string(folder.path().join("flags")).unwrap_or_default();
        let flags = flags.trim().strip_prefix("0x").map(|hex| u32::from_str_radix(hex, 16));
        matches!(flags, Some(Ok(flags)) if flags & MULTICAST != 0)
    };
    folders.into_iter().find(is_one)?.file_name().into_string().ok()
}

#[test]
fn the_real_keepalived_takes_the_file() {
    let known = Command::new("keepalived").arg("--version").output();
    if known.is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI needs keepalived");
        println!("skipped: there is no keepalived; `scripts/tools` installs it");
        return;
    }
    let Some(interface) = interface() else {
        println!("skipped: this machine has no interface with multicast");
        return;
    };
    let node = kinds::bare(Role::Master);
    let folder = tempfile::tempdir().unwrap();
    for cluster in [MASTERS, ALONE] {
        let text = told(&intent(&node, cluster));
        let text = text.replace("eth0", &interface).replace(&format!("/{CHECK}"), "/bin/true");
        let path = folder.path().join("keepalived.conf");
        fs::write(&path, text).unwrap();
        let mut command = Command::new("keepalived");
        let output = command.arg("--config-test").arg("--use-file").arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{cluster}: {said}");
    }
}
