//! What would make the run fail, found before anything is changed: all of it at
//! once, each with its cure.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use bundle_format::cluster::ProxyMode;

use crate::failure::Failure;
use crate::host::Host;
use crate::ingress;
use crate::receipt::{Deed, Line};
use crate::role::Role;
use crate::settled;
use crate::step::Intent;
use crate::steps::{cni_interface, images, kubeconfig, modules, nfs_server, packages, ready, time};

/// What kubeadm asks of a master (its preflight checks), in bytes of memory.
const MASTER_MEMORY: u64 = 1_700_000_000;
/// How long the API server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks for everything that is in the way.
pub fn problems(host: &Host, intent: &Intent) -> Vec<Failure> {
    let mut found = settled::problems(host, intent);
    machine(intent, &mut found);
    kernel(host, intent, &mut found);
    conflicts(host, intent, &mut found);
    leftovers(host, intent, &mut found);
    space(host, intent, &mut found);
    clock(host, intent, &mut found);
    found.extend(nfs_server::problem(host, intent));
    if intent.role == Role::Master {
        found.extend(cni_interface::problem(intent));
        found.extend(ingress::problems(host, intent));
    }
    found.extend(kubeconfig::problems(intent));
    reach(host, intent, &mut found);
    found
}

fn machine(intent: &Intent, found: &mut Vec<Failure>) {
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
}

fn kernel(host: &Host, intent: &Intent, found: &mut Vec<Failure>) {
    if intent.cluster.proxy_mode != ProxyMode::Ipvs {
        return;
    }
    let built_in = modules::built_in(host, intent).unwrap_or_default();
    let lacks = |name: &&str| {
        !built_in.contains(&format!("/{name}.ko"))
            && !host.query(&format!("modprobe --dry-run {name}")).succeeded()
    };
    let missing: Vec<&str> = modules::wanted(intent, host).into_iter().filter(lacks).collect();
    if !missing.is_empty() {
        found.push(Failure::new(
            format!("proxyMode is ipvs, and this kernel lacks {}", missing.join(", ")),
            "install the kernel's modules (kernel-modules-extra), or choose proxyMode: iptables",
        ));
    }
}

/// containerd.io takes the place of packages that others may need.
fn conflicts(host: &Host, intent: &Intent, found: &mut Vec<Failure>) {
    let brings = packages::missing(host, intent);
    if !brings.iter().any(|package| package.name == "containerd.io") {
        return;
    }
    let installed = packages::names(host);
    for name in ["containerd", "runc", "docker"] {
        if installed.contains(name) {
            let users = host.query(&format!("rpm -q --whatrequires {name} --qf %{{NAME}}\\n"));
            let users = if users.succeeded() { users.stdout } else { String::new() };
            let users: Vec<&str> = users.lines().collect();
            let by = if users.is_empty() {
                String::new()
            } else {
                format!(" (needed by {})", users.join(", "))
            };
            found.push(Failure::new(
                format!("the package {name}{by} cannot stay beside containerd.io"),
                format!("remove it if nobody needs it: `dnf remove {name}`"),
            ));
        }
    }
}

/// What an older cluster has left makes kubeadm hang or fail.
fn leftovers(host: &Host, intent: &Intent, found: &mut Vec<Failure>) {
    let ours = host.lines().iter().any(|line| {
        matches!(line, Line::Deed { deed: Deed::Claimed { path, .. }, .. }
            if path == Path::new("/etc/kubernetes"))
    });
    if ours {
        return;
    }
    let mut left: Vec<String> =
        ["/etc/kubernetes/manifests", "/etc/kubernetes/pki", "/var/lib/etcd/member"]
            .into_iter()
            .filter(|path| !host.list(path).is_empty())
            .map(str::to_owned)
            .collect();
    for path in [kubeconfig::ADMIN, ready::KUBELET] {
        if host.exists(path) {
            left.push(path.to_owned());
        }
    }
    if !left.is_empty() {
        found.push(Failure::new(
            format!("this node has been in a cluster before: {}", left.join(", ")),
            format!(
                "if nothing of that is needed, run `kubeadm reset`, and then make it a {} again",
                intent.role
            ),
        ));
    }
}

fn space(host: &Host, intent: &Intent, found: &mut Vec<Failure>) {
    let missing: std::collections::BTreeSet<String> =
        packages::missing(host, intent).into_iter().map(ToString::to_string).collect();
    let rpms = intent.lock().rpms.iter();
    let rpms: u64 = rpms
        .filter(|rpm| rpm.target == intent.target.id && missing.contains(&rpm.package.to_string()))
        .map(|rpm| rpm.size)
        .sum();
    let layers = images::missing(host, intent);
    let layers = layers.into_iter().flat_map(|image| &image.platforms);
    let layers: u64 = layers.flat_map(|platform| &platform.layers).map(|layer| layer.size).sum();
    // Packages lie beside what they unpack to, some three times their size;
    // containerd keeps layers beside what they unpack to, as much again.
    let (path, needed) = ("/var/lib", rpms * 4 + layers * 4);
    let Ok(disk) = rustix::fs::statvfs(host.path(path)) else { return };
    let free = disk.f_bavail * disk.f_frsize;
    if free < needed {
        found.push(Failure::new(
            format!("{path} has {} MB free, and {} MB are needed", free >> 20, needed >> 20),
            "make room, or mount a larger disk there",
        ));
    }
}

/// Once it is in its cluster, a node's clock is its operator's matter.
fn clock(host: &Host, intent: &Intent, found: &mut Vec<Failure>) {
    if !host.exists(ready::KUBELET) && time::is_ours(host, intent) {
        found.extend(time::wrong_clock(host));
    }
}

fn reach(host: &Host, intent: &Intent, found: &mut Vec<Failure>) {
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
    // A node that is done has them in use itself.
    if intent.role == Role::Master && !host.exists(kubeconfig::ADMIN) {
        let listening = host.query("ss -Hltn").stdout;
        for port in ["6443", "2379", "2380", "10250", "10257", "10259"] {
            let taken = listening.lines().any(|line| {
                line.split_ascii_whitespace()
                    .nth(3)
                    .is_some_and(|at| at.ends_with(&format!(":{port}")))
            });
            if taken && host.lines().is_empty() {
                found.push(Failure::new(
                    format!("port {port} is taken by another program"),
                    format!("see which with `ss -ltnp`, and end it: Kubernetes needs port {port}"),
                ));
            }
        }
    }
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
