//! Preflight: everything that would make a run fail, found before anything is
//! changed, each problem with its cure. Warnings are for what would not fail, and
//! should be known.

mod absent;
mod cgroups;
mod disks;
mod earlier;
mod etcd_disk;
mod expectations;
mod foreign;
mod identity;
mod ingress;
mod joining;
mod kernel;
mod kernel_settings;
mod kubelet;
mod mounts;
mod packages;
mod processor;
mod proxy;
pub(crate) mod reach;
mod restoring;
mod routes;
pub mod settled;
pub mod upgrading;
mod virtual_address;
mod wildcard;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ipnet::IpNet;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::paths;
use crate::preflight::earlier::has_begun;
use crate::role::Role;
use crate::steps::{cni_interface, firewall, kubeconfig, manifests, nfs_server, time};

/// The memory that kubeadm requires for a master (its preflight checks), in bytes.
const MASTER_MEMORY: u64 = 1_700_000_000;

/// November 2023. This program is younger, so an earlier clock is wrong.
const OLDEST: Duration = Duration::from_secs(1_700_000_000);

/// Looks for one kind of problem. An error means that it could not look.
type Check = fn(&Host, &Intent) -> anyhow::Result<Vec<Failure>>;

const CHECKS: &[Check] = &[
    identity::rights,
    identity::name,
    identity::copies,
    identity::words,
    identity::duty,
    machine,
    processor::problems,
    kernel::problems,
    kernel_settings::problems,
    cgroups::problems,
    proxy::problems,
    packages::problems,
    foreign::programs,
    foreign::firewalls,
    unknown_to_firewalls,
    foreign::leftovers,
    foreign::networks,
    foreign::guards,
    mounts::problems,
    disks::problems,
    absent::problems,
    clock,
    routes::problems,
    expectations::problems,
    kubelet::problems,
    add_ons,
    joining::problems,
    restoring::problems,
    virtual_address::problems,
    upgrading::problems,
    reach::problems,
];

/// Checks for things with which Kubernetes starts, and may fail later.
const WARNINGS: &[Check] = &[
    packages::warnings,
    identity::warnings,
    processor::warnings,
    kernel_settings::warnings,
    foreign::warnings,
    mounts::warnings,
    disks::warnings,
    routes::warnings,
    wildcard::warnings,
    expectations::warnings,
    reach::warnings,
    upgrading::warnings,
];

/// All problems, and all warnings. Only this measures etcd's disk, while the other
/// checks run, because it takes seconds.
pub fn look(host: &Host, intent: &Intent) -> (Vec<Failure>, Vec<Failure>) {
    let measurement = etcd_disk::begin(host, intent);
    let (problems, mut warnings) = (problems(host, intent), warnings(host, intent));
    warnings.extend(measurement.and_then(etcd_disk::Measurement::warning));
    (problems, warnings)
}

/// All problems. A check that could not look is one.
pub fn problems(host: &Host, intent: &Intent) -> Vec<Failure> {
    let mut found = settled::problems(host, intent);
    found.extend(all(CHECKS, host, intent));
    found
}

/// All warnings.
pub fn warnings(host: &Host, intent: &Intent) -> Vec<Failure> {
    all(WARNINGS, host, intent)
}

/// Whether the disks have room, and a delta what it needs. For a run that only brings images
/// in.
pub fn of_images(host: &Host, intent: &Intent) -> Vec<Failure> {
    all(&[disks::problems, absent::of_images], host, intent)
}

fn all(checks: &[Check], host: &Host, intent: &Intent) -> Vec<Failure> {
    let of = |check: &Check| check(host, intent).unwrap_or_else(|error| vec![Failure::of(&error)]);
    checks.iter().flat_map(of).collect()
}

fn unknown_to_firewalls(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    Ok(firewall::problem(host, intent)?.into_iter().collect())
}

fn machine(_: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    let facts = &intent.facts;
    if intent.role == Role::Master && facts.processors < 2 {
        found
            .push(Failure::new("a master needs 2 processors, and this node has 1", "give it more"));
    }
    if intent.role == Role::Master && facts.memory < MASTER_MEMORY {
        found.push(Failure::new(
            format!("a master needs 1.7 GB of memory, and this node has {} MB", facts.memory >> 20),
            "give it more",
        ));
    }
    let networks = [intent.cluster.pod_cidr, intent.cluster.service_cidr].map(IpNet::V4);
    if networks.iter().any(|network| network.contains(&intent.address)) {
        found.push(Failure::new(
            format!("the node's address {} is in the network of pods or Services", intent.address),
            "choose another podCidr or serviceCidr in the cluster file",
        ));
    }
    Ok(found)
}

/// After a node has joined, its clock is the operator's matter.
fn clock(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    if !has_begun(host) && SystemTime::now() < UNIX_EPOCH + OLDEST {
        return Ok(vec![Failure::new(
            "this node's clock is years behind: certificates made now end before they are used",
            "set it: `date --set '2030-01-31 12:00'` with today's date, and `hwclock --systohc`",
        )]);
    }
    if host.exists(paths::KUBELET_CONF) || !time::is_ours(host, intent)? {
        return Ok(Vec::new());
    }
    Ok(time::wrong_clock(host)?.into_iter().collect())
}

/// What optional parts need.
fn add_ons(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let nfs = nfs_server::problem(host, intent)?;
    let mut found: Vec<Failure> = nfs.into_iter().collect();
    // Manifests come with a bundle's last release.
    if intent.role == Role::Master && !intent.bundle.is_hop() {
        found.extend(manifests::problems(intent));
        found.extend(cni_interface::problem(intent));
        found.extend(ingress::problems(host, intent)?);
    }
    found.extend(kubeconfig::problems(intent));
    Ok(found)
}
