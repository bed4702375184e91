//! From the command line to an intent.

use std::io::Write;
use std::net::IpAddr;
use std::path::Path;

use bundle_format::archive::reader::Bundle;
use bundle_format::cluster::{Cluster, NodeName};
use bundle_format::text::{printable, stderr};
use bundle_format::yaml::hint::near;

use super::options::{Aim, Source};
use super::sources::Sources;
use crate::backup::Backup;
use crate::cluster_file::OfBundle;
use crate::engine::orphan;
use crate::exec::system::SystemExec;
use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::certificates::kubeconfig::Brought;
use crate::node::facts::Facts;
use crate::node::join::{self, JoinFile};
use crate::node::paths::{KUBEADM_JOINED, ROOT_KUBECONFIG};
use crate::role::Role;
use crate::{target, trust};

/// How many machines of a cluster are listed.
const SHOWN: usize = 10;

/// The node to look at.
pub(crate) fn host(root: Option<&Path>) -> anyhow::Result<Host> {
    if let Some(folder) = root.filter(|folder| !folder.is_dir()) {
        return Err(Failure::new(
            format!("{} is no folder", folder.display()),
            "--root takes a folder that has a node's files, such as etc/os-release",
        )
        .into());
    }
    let exec = Box::new(SystemExec { root: root.map(Path::to_owned) });
    Host::look(root.unwrap_or(Path::new("/")), exec)
}

/// This node, without its receipt, which cannot be read.
pub(super) fn host_past_receipt() -> Host {
    Host::look_past_receipt(Path::new("/"), Box::new(SystemExec { root: None }))
}

/// Opens the node for changes, after a command of an earlier run has ended.
pub(super) fn begin(host: Host) -> anyhow::Result<Host> {
    let host = host.open()?;
    orphan::await_end(&host)?;
    Ok(host)
}

/// Opens the bundle. If any key is trusted here, such a key must have signed it.
pub(super) fn bundle(source: &Source<'_>) -> anyhow::Result<Bundle> {
    bundle_for(source, None)
}

/// The same, for the node whose files are in the folder `root`.
pub(super) fn bundle_for(source: &Source<'_>, root: Option<&Path>) -> anyhow::Result<Bundle> {
    super::bundle::open(source, &trust::keys(source.trusted_key, root)?)
}

/// Fails if the node has had a newer bundle of that name.
pub(super) fn refuse_older(host: &Host, bundle: &Bundle, allow_older: bool) -> Result<(), Failure> {
    if allow_older {
        return Ok(());
    }
    trust::older(host.lines(), bundle).map_or(Ok(()), Err)
}

/// What the node is to become.
pub(crate) fn intent(host: &Host, aim: &Aim, root: Option<&Path>) -> anyhow::Result<Intent> {
    let bundle = bundle_for(&aim.source(), root)?;
    refuse_older(host, &bundle, aim.allow_older)?;
    let kubeconfig = brought(aim)?;
    let sources = Sources::read(aim, restore(aim)?, join(host, aim)?, || Ok(of_bundle(&bundle)))?;
    let cluster = sources.cluster()?;
    let facts = Facts::gather(host)?;
    let target = target::choose(host, &bundle.lock().targets, &facts)?;
    let address = address(&facts, aim, sources.shared_address(&cluster), root)?;
    let name = name(&facts, aim, &cluster, address)?;
    let Sources { join, restore, .. } = sources;
    Ok(Intent {
        role: aim.role,
        bundle,
        target,
        cluster,
        facts,
        name,
        address,
        join,
        restore,
        upgrade: None,
        kubeconfig,
    })
}

/// What the bundle says of the cluster.
pub(super) fn of_bundle(bundle: &Bundle) -> OfBundle {
    let lock = bundle.lock();
    OfBundle { given: lock.cluster.clone(), kubernetes: Some(lock.kubernetes.clone()) }
}

/// The join file. A worker must have one, and a further master one for masters.
pub(super) fn join(host: &Host, aim: &Aim) -> anyhow::Result<Option<JoinFile>> {
    if aim.role == Role::Worker && aim.join.is_none() {
        return Err(Failure::new(
            "a worker needs a join file",
            format!(
                "copy {} from the master, and give it with --join; to look only, \
                 `installer token --sample --output join.yaml` makes a sample",
                join::path().display()
            ),
        )
        .into());
    }
    let join = aim.join.as_deref().map(JoinFile::load).transpose()?;
    let is_for_masters = join.as_ref().map(|join| join.control_plane.is_some());
    match (aim.role, is_for_masters) {
        (Role::Worker, Some(true)) => Err(Failure::new(
            "this join file is for masters",
            "make one for workers with `installer token` on a master",
        )
        .into()),
        // One that has joined needs the cluster's keys no more.
        (Role::Master, Some(false)) if !host.exists(KUBEADM_JOINED) => Err(Failure::new(
            "this join file is for workers",
            "make one with `installer token --for master` on a master; the first master needs none",
        )
        .into()),
        _ => Ok(join),
    }
}

/// The backup. Only a master takes one.
pub(super) fn restore(aim: &Aim) -> anyhow::Result<Option<Backup>> {
    if aim.role == Role::Worker && aim.restore.is_some() {
        return Err(Failure::new(
            "--restore is for masters; workers come back by themselves",
            "leave it out",
        )
        .into());
    }
    aim.restore.as_deref().map(Backup::open).transpose()
}

/// The kubeconfig for root on a worker.
fn brought(aim: &Aim) -> anyhow::Result<Option<Brought>> {
    if aim.role == Role::Master && aim.with_kubeconfig.is_some() {
        return Err(Failure::new(
            format!("--with-kubeconfig is for workers; a master has its administrator's in {ROOT_KUBECONFIG}"),
            "leave it out",
        )
        .into());
    }
    aim.with_kubeconfig.as_deref().map(Brought::load).transpose()
}

pub(super) fn address(
    facts: &Facts,
    aim: &Aim,
    shared: Option<IpAddr>,
    root: Option<&Path>,
) -> anyhow::Result<IpAddr> {
    match (root, aim.address) {
        // A folder has no interfaces, so the person names the address.
        (Some(_), Some(address)) => Ok(address),
        (Some(folder), None) => Err(Failure::new(
            format!("the folder {} does not say which address its node has", folder.display()),
            "say it with --address",
        )
        .into()),
        (_, wanted) => facts.address(wanted, shared),
    }
}

/// The node's name: as asked for, else the cluster file's for its address, else the
/// host name.
pub(super) fn name(
    facts: &Facts,
    aim: &Aim,
    cluster: &Cluster,
    address: IpAddr,
) -> anyhow::Result<NodeName> {
    let known = cluster.nodes.iter().find(|node| node.address == address);
    let by_address = known.map(|node| node.name.clone());
    facts.node_name(aim.node_name.clone().or(by_address))
}

/// A notice if the cluster file does not list this node, or has another name for its
/// address: the address may be mistyped, or the file incomplete.
pub(super) fn stranger(cluster: &Cluster, address: IpAddr, name: &NodeName) -> Option<String> {
    let nodes = &cluster.nodes;
    if nodes.is_empty() || nodes.iter().any(|node| node.address == address) {
        return None;
    }
    if let Some(node) = nodes.iter().find(|node| node.name == *name) {
        let other = node.address;
        return Some(format!(
            "{name} is at {other} by `nodes` of the cluster file, not at {address}"
        ));
    }
    let addresses: Vec<String> = nodes.iter().map(|node| node.address.to_string()).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let all: Vec<String> =
        nodes.iter().take(SHOWN).map(|node| format!("{} at {}", node.name, node.address)).collect();
    let more = match nodes.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let meant = match near(&address.to_string(), &addresses) {
        Some(meant) => format!("; did you mean {meant}?"),
        None => String::new(),
    };
    let all = all.join(", ");
    Some(format!("{address} is none of `nodes` of the cluster file, which has {all}{more}{meant}"))
}

/// Prints the notice of [`stranger`].
pub(super) fn tell_stranger(intent: &Intent) {
    if let Some(words) = stranger(&intent.cluster, intent.address, &intent.name) {
        drop(writeln!(stderr(), "note: {}", printable(&words)));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Installer;

    #[test]
    fn an_address_that_no_machine_has_is_told() {
        let cluster: Cluster = serde_saphyr::from_str(
            "nodes: [{name: m, address: 192.168.1.1}, {name: w, address: 192.168.1.20}]",
        )
        .unwrap();
        let of = |address: &str, name: &str| {
            let name = NodeName::try_from(name.to_owned()).unwrap();
            stranger(&cluster, address.parse().unwrap(), &name)
        };
        assert_eq!(of("192.168.1.1", "m"), None);
        assert_eq!(of("192.168.1.20", "another"), None, "the file has the name");
        assert_eq!(
            of("192.168.1.2", "x").unwrap(),
            "192.168.1.2 is none of `nodes` of the cluster file, which has m at 192.168.1.1, w at \
             192.168.1.20; did you mean 192.168.1.1?"
        );
        assert_eq!(
            of("10.0.0.1", "w").unwrap(),
            "w is at 192.168.1.20 by `nodes` of the cluster file, not at 10.0.0.1"
        );
        let none = stranger(
            &Cluster::default(),
            [127, 0, 0, 1].into(),
            &"x".to_owned().try_into().unwrap(),
        );
        assert_eq!(none, None);
    }

    #[test]
    fn the_address_is_believed_for_a_folder_only() {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path();
        let facts = Facts::gather(&host(Some(folder)).unwrap()).unwrap();
        let of = |more: &[&str], root: Option<&Path>| {
            let words = ["installer", "--role", "master", "--address", "192.168.1.1"];
            let aim = Installer::parse_from(words.iter().chain(more)).aim.unwrap();
            address(&facts, &aim, None, root)
        };
        let planned = of(&["--dry-run", "--root", "FOLDER"], Some(folder));
        assert_eq!(planned.unwrap(), IpAddr::from([192, 168, 1, 1]));
        let error = of(&[], None).unwrap_err().to_string();
        assert_eq!(error, "this node does not have the address 192.168.1.1; it has none");
    }
}
