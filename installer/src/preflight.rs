//! What would make the run fail, found before anything is changed: all of it at
//! once, each with its cure.

mod disks;
mod foreign;
mod identity;

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::ingress;
use crate::receipt::{Deed, Line};
use crate::role::Role;
use crate::settled;
use crate::step::Intent;
use crate::steps::{cni_interface, kubeconfig, manifests, modules, nfs_server, ready, time};

/// What kubeadm asks of a master (its preflight checks), in bytes of memory.
const MASTER_MEMORY: u64 = 1_700_000_000;
/// How long the API server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks for one kind of thing in the way. An error means that it could not look.
type Check = fn(&Host, &Intent) -> anyhow::Result<Vec<Failure>>;

const CHECKS: [Check; 14] = [
    identity::rights,
    identity::name,
    identity::words,
    machine,
    kernel,
    foreign::packages,
    foreign::programs,
    foreign::firewalls,
    foreign::leftovers,
    foreign::networks,
    disks::problems,
    clock,
    add_ons,
    reach,
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
    let built_in = modules::built_in(host, intent)?;
    let loaded = host.read("/proc/modules")?.unwrap_or_default();
    let mut missing = Vec::new();
    for name in modules::wanted(intent, host).into_iter().chain(nfs_server::modules(intent)) {
        let is_there = loaded.lines().any(|line| line.split(' ').next() == Some(name))
            || built_in.contains(&format!("/{name}.ko"));
        if is_there {
            continue;
        }
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
        "restart the node if its kernel was updated; else install the kernel's modules \
         (kernel-modules-extra), or do without, by proxyMode: iptables or no nfs",
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

fn reach(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    if let Some(join) = &intent.join {
        // One that has joined needs no token any more.
        found.extend(join.problem().filter(|_| !host.exists(ready::KUBELET)));
    }
    if let Some(join) = &intent.join
        && !answers(host, &join.endpoint)
    {
        found.push(Failure::new(
            format!("the master's API server at {} does not answer", join.endpoint),
            "check the cable, the address in the join file and the master's firewall",
        ));
    }
    // By then it is Kubernetes itself that has them.
    if has_begun(host) {
        return Ok(found);
    }
    let ports: &[&str] = match intent.role {
        Role::Master => &["6443", "2379", "2380", "10250", "10257", "10259"],
        Role::Worker => &["10250"],
    };
    let listening = host.answer(&Command::of("ss -Hltn"))?.stdout;
    for port in ports {
        let end = format!(":{port}");
        let mut at = listening.lines().filter_map(|line| line.split_ascii_whitespace().nth(3));
        if at.any(|at| at.ends_with(&end)) {
            found.push(Failure::new(
                format!("port {port} is taken by another program"),
                format!("see which with `ss -ltnp`, and end it: Kubernetes needs port {port}"),
            ));
        }
    }
    Ok(found)
}

/// Whether anything takes connections at `HOST:PORT`.
pub(crate) fn answers(host: &Host, endpoint: &str) -> bool {
    let addresses = addresses(host, endpoint);
    addresses.iter().any(|one| TcpStream::connect_timeout(one, PATIENCE).is_ok())
}

/// The addresses of `HOST:PORT`. Names are the node's own resolver's matter, which
/// a static program does not have in it.
fn addresses(host: &Host, endpoint: &str) -> Vec<SocketAddr> {
    if let Ok(address) = endpoint.parse() {
        return vec![address];
    }
    let Some((name, port)) = endpoint.rsplit_once(':') else { return Vec::new() };
    let Ok(port) = port.parse() else { return Vec::new() };
    let said = host.query(&format!("getent ahosts {name}")).stdout;
    let first = said.lines().filter_map(|line| line.split_ascii_whitespace().next());
    first.filter_map(|word| Some(SocketAddr::new(word.parse::<IpAddr>().ok()?, port))).collect()
}
