//! What would make the run fail, found before anything is changed: all of it at
//! once, each with its cure.

mod disks;
mod foreign;
mod identity;
mod ingress;
mod joining;
mod kubelet;
mod packages;
mod proxy;
pub(crate) mod reach;
pub mod settled;

use std::path::Path;

use crate::exec::Command;
use crate::failure::Failure;
use crate::family;
use crate::host::Host;
use crate::receipt::{Deed, Line};
use crate::role::Role;
use crate::step::Intent;
use crate::steps::{cni_interface, kubeconfig, manifests, modules, nfs_server, ready, time};

/// What kubeadm asks of a master (its preflight checks), in bytes of memory.
const MASTER_MEMORY: u64 = 1_700_000_000;

/// Looks for one kind of thing in the way. An error means that it could not look.
type Check = fn(&Host, &Intent) -> anyhow::Result<Vec<Failure>>;

const CHECKS: [Check; 17] = [
    identity::rights,
    identity::name,
    identity::words,
    machine,
    kernel,
    proxy::problems,
    packages::problems,
    foreign::programs,
    foreign::firewalls,
    foreign::leftovers,
    foreign::networks,
    disks::problems,
    clock,
    kubelet::problems,
    add_ons,
    joining::problems,
    reach::problems,
];

/// Looks for everything that is in the way; what it cannot look at is.
pub fn problems(host: &Host, intent: &Intent) -> Vec<Failure> {
    let mut found = settled::problems(host, intent);
    for check in CHECKS {
        match check(host, intent) {
            Ok(more) => found.extend(more),
            Err(error) => found.push(Failure::of(&error)),
        }
    }
    found
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
    if intent.cluster.pod_cidr.contains(&intent.address)
        || intent.cluster.service_cidr.contains(&intent.address)
    {
        found.push(Failure::new(
            format!("the node's address {} is in the network of pods or Services", intent.address),
            "choose another podCidr or serviceCidr in the cluster file",
        ));
    }
    Ok(found)
}

/// A kernel that was replaced, while the old one still runs, has no modules any
/// more.
fn kernel(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut missing = Vec::new();
    let mut names = modules::wanted(intent, host);
    names.extend(nfs_server::modules(intent));
    for name in modules::unloaded(host, intent, names)? {
        let said = host.answer(&Command::of("modprobe --dry-run").with(name))?;
        // Without modprobe nobody can say.
        if !said.succeeded() && said.status != Some(127) {
            missing.push(name);
        }
    }
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let (kernel, missing) = (&intent.facts.kernel, missing.join(", "));
    Ok(vec![Failure::new(
        format!("the kernel that runs here, {kernel}, lacks {missing}"),
        family::modules_cure(host, &intent.facts),
    )])
}

/// Once it is in its cluster, a node's clock is its operator's matter.
fn clock(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    if host.exists(ready::KUBELET) || !time::is_ours(host, intent)? {
        return Ok(Vec::new());
    }
    Ok(time::wrong_clock(host)?.into_iter().collect())
}

/// What parts that not every cluster has need.
fn add_ons(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let nfs = nfs_server::problem(host, intent)?;
    let mut found: Vec<Failure> = nfs.into_iter().collect();
    if intent.role == Role::Master {
        found.extend(manifests::problems(intent));
        found.extend(cni_interface::problem(intent));
        found.extend(ingress::problems(host, intent));
    }
    found.extend(kubeconfig::problems(intent));
    Ok(found)
}

/// Whether the node is in its cluster, or was on the way there with us.
fn has_begun(host: &Host) -> bool {
    host.exists(kubeconfig::ADMIN) || host.exists(ready::KUBELET) || is_ours(host)
}

/// Whether the receipt has it that what kubeadm leaves is ours.
fn is_ours(host: &Host) -> bool {
    host.lines().iter().any(|line| {
        matches!(line, Line::Deed { deed: Deed::Claimed { path, .. }, .. }
            if path == Path::new("/etc/kubernetes"))
    })
}
