//! The masters' one address: what it needs, and what is in its way.

use installer::failure::Failure;
use installer::intent::Intent;
use installer::preflight;
use installer::role::Role;

use super::Told::{self, Nothing, Problem};
use super::check;
use crate::node::intent::bundle_with_package;
use crate::node::join::for_master;
use crate::node::kinds;

const KEEPALIVED: &str = "keepalived-2.2.8-3.el9.x86_64";

fn with(intent: &mut Intent, text: &str) {
    intent.cluster = serde_saphyr::from_str(text).unwrap();
    intent.bundle = bundle_with_package(KEEPALIVED);
}

fn master(intent: &mut Intent) {
    with(
        intent,
        "nodes: [{name: node-1, address: 10.0.0.2, role: master}]\n\
         controlPlane: {vip: 10.0.0.100}",
    );
}

fn problem(files: &[(&str, &str)], change: fn(&mut Intent), wanted: &Told) {
    check(Role::Master, files, change, wanted);
}

#[test]
fn a_free_address_of_the_nodes_network() {
    const ANSWERS: (&str, &str) =
        ("run/neighbour", "10.0.0.100 dev eth0 lladdr 52:54:00:00:00:01 REACHABLE\n");
    problem(&[], master, &Nothing);
    problem(&[("run/neighbour", "10.0.0.100 dev eth0 FAILED\n")], master, &Nothing);
    let taken = Problem("another machine already answers for controlPlane.vip 10.0.0.100");
    problem(&[ANSWERS], master, &taken);
    // An earlier run has set it up.
    let ours = "# Written by kubeferry.\nvirtual_ipaddress {\n    10.0.0.100 dev eth0\n}\n";
    problem(&[ANSWERS, ("etc/keepalived/keepalived.conf", ours)], master, &Nothing);
    let outside = Problem("controlPlane.vip 10.0.1.100 is not in the network of eth0, 10.0.0.0/24");
    problem(
        &[],
        |intent| {
            master(intent);
            intent.cluster.control_plane.as_mut().unwrap().vip = [10, 0, 1, 100].into();
        },
        &outside,
    );
    let last = Problem("controlPlane.vip 10.0.0.255 is the first or last of 10.0.0.0/24");
    problem(
        &[],
        |intent| {
            master(intent);
            intent.cluster.control_plane.as_mut().unwrap().vip = [10, 0, 0, 255].into();
        },
        &last,
    );
    let interface = Problem(
        "controlPlane.interface is eth7, which has no address of IPv4 here\nwrite one of this \
         node's: eth0",
    );
    problem(
        &[],
        |intent| {
            master(intent);
            let name = "eth7".to_owned().try_into().unwrap();
            intent.cluster.control_plane.as_mut().unwrap().interface = Some(name);
        },
        &interface,
    );
}

#[test]
fn its_program_is_there_and_nobody_elses() {
    let lacking = Problem("keepalived, which is neither on this node nor in the bundle");
    problem(
        &[],
        |intent| {
            let bundle = intent.bundle.lock().clone();
            master(intent);
            assert!(bundle.rpms.is_empty());
            intent.bundle = crate::node::intent::bundle_with(&[]);
        },
        &lacking,
    );
    const SITES: (&str, &str) = ("etc/keepalived/keepalived.conf", "vrrp_instance site {\n}\n");
    problem(&[SITES], master, &Nothing);
    for word in ["active", "enabled"] {
        let unit = format!("run/systemd/{word}/keepalived");
        problem(&[SITES, (&unit, "")], master, &Problem("keepalived is already in use here"));
    }
}

#[test]
fn masters_know_each_other() {
    problem(
        &[],
        |intent| {
            with(
                intent,
                "nodes: [{name: node-2, address: 10.0.0.3, role: master}]\n\
             controlPlane: {vip: 10.0.0.100}",
            );
        },
        &Problem("does not have this node, 10.0.0.2, as a master"),
    );
    problem(
        &[],
        |intent| {
            with(intent, "nodes: [{name: node-1, address: 10.0.0.2, role: worker}]");
        },
        &Problem(
            "`nodes` of the cluster file has node-1 as a worker\nrun this with `--role worker`",
        ),
    );
}

#[test]
fn running_masters_know_a_further_one() {
    let node = kinds::bare(Role::Master);
    let mut intent = node.intent();
    master(&mut intent);
    let ours = intent.cluster.clone();
    let mut theirs = ours.clone();
    theirs.nodes[0].address = [10, 0, 0, 3].into();
    for (known, is_told) in [(ours, false), (theirs, true)] {
        intent.join = Some(for_master(known));
        let host = node.look(None).0;
        let problems = preflight::problems(&host, &intent);
        let words = "the running masters do not know this one";
        let is_one = |one: &Failure| one.to_string().starts_with(words);
        assert_eq!(problems.iter().any(is_one), is_told, "{problems:?}");
    }
}

#[test]
fn a_name_leads_to_the_address() {
    let named: fn(&mut Intent) = |intent| {
        master(intent);
        intent.cluster.endpoint = Some("k8s.site:6443".to_owned());
    };
    problem(&[("run/names", "k8s.site 10.0.0.100\n")], named, &Nothing);
    let other = Problem("k8s.site leads to 10.0.0.9, and controlPlane.vip is 10.0.0.100");
    problem(&[("run/names", "k8s.site 10.0.0.9\n")], named, &other);
    problem(&[], named, &Problem("endpoint's name k8s.site leads nowhere"));
}
