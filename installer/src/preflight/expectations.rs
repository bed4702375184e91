//! What the bundle's manifests expect of the cluster and its nodes, held against what
//! these are. `bundler` found the expectations with its own reader of manifests, so
//! nothing is parsed here.

use std::fmt;

use bundle_format::lock::{Aspect, Expectation, LockedManifest};

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::role::Role;
use crate::steps::manifests;

/// The master checks all of them, because it applies the manifests. A worker checks
/// those that concern its own node.
pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    for (manifest, one) in all(intent) {
        if intent.role == Role::Master {
            let conflict = one.conflict(&intent.cluster);
            found.extend(conflict.map(|conflict| {
                let what = format!("the bundle's manifest {}: {conflict}", manifest.name);
                let cure = match conflict.key {
                    "podCidr" | "serviceCidr" => format!(
                        "{}; `installer config` says where the cluster's value is from",
                        conflict.cure()
                    ),
                    _ => conflict.cure().to_owned(),
                };
                Failure::new(what, cure)
            }));
            found.extend(api_server(intent, manifest, one));
        }
        found.extend(interface(host, intent, manifest, one));
        found.extend(no_default_route(intent, manifest, one));
        found.extend(mtu(host, intent, manifest, one)?);
    }
    Ok(found)
}

pub(super) fn warnings(_: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let other = all(intent).filter_map(|(manifest, one)| other_route(intent, manifest, one));
    Ok(other.chain(unknown_machines(intent)).collect())
}

/// Warnings only: the machine may join without being in the cluster file.
fn unknown_machines(intent: &Intent) -> Vec<Failure> {
    if intent.role != Role::Master || intent.cluster.nodes.is_empty() {
        return Vec::new();
    }
    let is_known = |name: &str| {
        let mut names = intent.cluster.nodes.iter().map(|node| node.name.to_string());
        name == intent.name.to_string() || names.any(|known| known == name)
    };
    let unknown = all(intent).filter(|(_, one)| one.of == Aspect::Machine && !is_known(&one.value));
    let warning = |(manifest, one): (&LockedManifest, &Expectation)| {
        of(
            manifest,
            one,
            format!("waits for a machine {}, but `nodes` has no machine of that name", one.value),
            "name the machine so in `nodes` of the cluster file, or another one in the manifest",
        )
    };
    unknown.map(warning).collect()
}

/// Ports of the node that the bundle's pods use, each with its manifest.
pub(super) fn host_ports(intent: &Intent) -> impl Iterator<Item = (&LockedManifest, &str)> {
    let ports = all(intent).filter(|(_, one)| one.of == Aspect::HostPort);
    let here = ports.filter(|(manifest, _)| {
        !manifests::is_ingress(&manifest.name) || intent.cluster.has_ingress_on(&intent.name)
    });
    here.map(|(manifest, one)| (manifest, one.value.as_str()))
}

fn all(intent: &Intent) -> impl Iterator<Item = (&LockedManifest, &Expectation)> {
    manifests::wanted(intent)
        .flat_map(|manifest| manifest.expects.iter().map(move |one| (manifest, one)))
}

fn of(
    manifest: &LockedManifest,
    one: &Expectation,
    says: impl fmt::Display,
    cure: impl Into<String>,
) -> Failure {
    Failure::new(format!("the bundle's manifest {}: {} {says}", manifest.name, one.place()), cure)
}

/// Pods that address the API server directly need the right address: the cluster's
/// endpoint, a machine of the cluster, or an address of this node.
fn api_server(intent: &Intent, manifest: &LockedManifest, one: &Expectation) -> Option<Failure> {
    if one.of != Aspect::ApiServer {
        return None;
    }
    let endpoint = intent.endpoint();
    let host = endpoint.rsplit_once(':').map_or(endpoint.as_str(), |(host, _)| host);
    let nodes = intent.cluster.nodes.iter();
    let nodes = nodes.flat_map(|node| [node.name.to_string(), node.address.to_string()]);
    let first = u32::from(intent.cluster.service_cidr.network()).saturating_add(1);
    let mut known = [
        host.to_owned(),
        intent.address.to_string(),
        intent.name.to_string(),
        "localhost".to_owned(),
        std::net::Ipv4Addr::from(first).to_string(),
    ]
    .into_iter()
    .chain(nodes);
    let is_known = one.value.starts_with("127.")
        || one.value.starts_with("kubernetes.default")
        || known.any(|known| known == one.value);
    (!is_known).then(|| {
        of(
            manifest,
            one,
            format!("asks the API server at {}, but this cluster's is {endpoint}", one.value),
            "write that as `endpoint` in the cluster file, or make a bundle whose manifest has \
             this cluster's, by `set` in the spec",
        )
    })
}

fn interface(
    host: &Host,
    intent: &Intent,
    manifest: &LockedManifest,
    one: &Expectation,
) -> Option<Failure> {
    let addresses = &intent.facts.addresses;
    // An interface for pods alone has no address.
    let is_here = || {
        addresses.iter().any(|(name, _)| *name == one.value)
            || host.exists(format!("/sys/class/net/{}", one.value))
    };
    // A folder below `--root` has no interfaces.
    if one.of != Aspect::Interface || addresses.is_empty() || is_here() {
        return None;
    }
    let here: Vec<&str> = addresses.iter().map(|(name, _)| name.as_str()).collect();
    Some(of(
        manifest,
        one,
        format!(
            "needs the interface {}, but this node's interfaces with an address are {}",
            one.value,
            here.join(", ")
        ),
        "give this node's interface that name, or make a bundle whose manifest has another",
    ))
}

/// Without a default route, and without `cniInterface`, flannel does not start.
fn no_default_route(
    intent: &Intent,
    manifest: &LockedManifest,
    one: &Expectation,
) -> Option<Failure> {
    let own = instead_of_default_route(intent, one)?;
    intent.facts.default_route.is_none().then(|| {
        let says = "takes the interface of the default route, and this node has none";
        of(manifest, one, says, to_name(own))
    })
}

/// The pods' packets may go by another interface than the node's own, where firewalls
/// do not expect them.
fn other_route(intent: &Intent, manifest: &LockedManifest, one: &Expectation) -> Option<Failure> {
    let own = instead_of_default_route(intent, one)?;
    let route = intent.facts.default_route.as_ref().filter(|route| *route != own)?;
    let says = format!(
        "takes the interface of the default route, {route}, and this node's address is on {own}"
    );
    Some(of(manifest, one, says, to_name(own)))
}

/// The interface of the node's address, if a container would take the default route's.
fn instead_of_default_route<'a>(intent: &'a Intent, one: &Expectation) -> Option<&'a str> {
    let is_open = one.of == Aspect::DefaultRoute && intent.cluster.cni_interface.is_none();
    is_open.then(|| intent.facts.interface(intent.address))?
}

fn to_name(interface: &str) -> String {
    format!(
        "write `cniInterface: {interface}` in the cluster file, or an expression such as `eth.*` \
         where nodes have different names"
    )
}

/// A packet that is larger than the node's MTU is lost.
fn mtu(
    host: &Host,
    intent: &Intent,
    manifest: &LockedManifest,
    one: &Expectation,
) -> anyhow::Result<Option<Failure>> {
    let Some(name) = intent.facts.interface(intent.address).filter(|_| one.of == Aspect::Mtu)
    else {
        return Ok(None);
    };
    let own = host.read(format!("/sys/class/net/{name}/mtu"))?;
    let own: Option<u32> = own.and_then(|text| text.trim().parse().ok());
    let (Some(own), Ok(wanted)) = (own, one.value.parse::<u32>()) else { return Ok(None) };
    Ok((wanted > own).then(|| {
        of(
            manifest,
            one,
            format!("sends packets of {wanted} bytes between pods, but {name} carries only {own}"),
            format!(
                "`ip link set {name} mtu {wanted}` where the site's switches carry that, or make \
                 a bundle whose manifest has less"
            ),
        )
    }))
}
