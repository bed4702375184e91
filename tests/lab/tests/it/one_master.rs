//! A cluster of one master and one worker, used in every way that needs no other: the firewall,
//! certificates and persons, and a backup when the master's disk is lost.

use lab::{Settings, cluster};

use crate::application::{Witness, kubectl};
use crate::arguments::Watch;
use crate::cluster::all_nodes;
use crate::support::{connected_host, lab};
use crate::{access, backup, firewall};

#[test]
fn a_cluster_is_used_and_comes_back_from_a_backup() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let Some(lab) = lab(&Settings { nodes: 2, ..Settings::default() }) else { return };
    let [master, worker] = lab.nodes() else { panic!("two nodes") };
    let _witness = Witness(master);
    let watch = Watch::begin();
    firewall::move_to_another_zone(worker);
    let config = all_nodes(&lab);
    cluster::install(&lab, &bundle, &config).unwrap();
    kubectl(master, &["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s"]);
    kubectl(master, &["rollout", "status", "deploy/web", "--timeout=120s"]);

    firewall::assert_guards(master, worker, &config);
    access::assert_is_granted(master, worker, watch);
    backup::assert_brings_back(master, worker, &config);
}
