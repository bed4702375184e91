//! The user who runs this, the node's name, and copies of machines.

use bundle_format::cluster::Duty;
use rustix::process::Uid;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::join::{JoinFile, Machine};
use crate::node::paths::KUBEADM_JOINED;
use crate::role::Role;

/// The longest value of a label, in characters (kubernetes.io, "Labels and
/// Selectors").
const LONGEST: usize = 63;

/// Only root can make the changes, and see everything.
pub(super) fn rights(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    let is_allowed = may(host.is_this_system(), rustix::process::geteuid());
    let told = || Failure::new("you are not root on this node", "run this with `sudo`, or as root");
    Ok(if is_allowed { Vec::new() } else { vec![told()] })
}

/// Anybody may look at a folder below `--root`.
fn may(is_this_system: bool, user: Uid) -> bool {
    !is_this_system || user.is_root()
}

/// Two nodes with one name would be one node to Kubernetes.
pub(super) fn name(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    let name = intent.name.to_string();
    if name == "localhost" || name.starts_with("localhost.") {
        found.push(Failure::new(
            format!("this node has no name of its own: it is called {name}"),
            "give it one with --node-name, or in `nodes` of the cluster file",
        ));
    }
    // kubelet sets the label `kubernetes.io/hostname` to the name.
    if name.len() > LONGEST {
        found.push(Failure::new(
            format!("this node's name has {} characters, more than {LONGEST}: {name}", name.len()),
            "give it a shorter one with --node-name, or in `nodes` of the cluster file",
        ));
    }
    // A further master that is in its cluster is among its masters.
    let masters = intent.join.iter().filter(|_| !host.exists(KUBEADM_JOINED));
    for master in masters.flat_map(JoinFile::all_masters) {
        if master.address == intent.address {
            found.push(Failure::new(
                format!("{} is the address of the master, {}", intent.address, master.name),
                format!(
                    "run this on another node; or, if this machine takes the place of {0}, run \
                     `installer remove {0}` on another master first, and make a new join file",
                    master.name
                ),
            ));
        } else if master.name == intent.name {
            found.push(Failure::new(
                format!("this node has the name of the master, {name}"),
                format!(
                    "give it another with --node-name; or, if this machine takes its place, run \
                     `installer remove {name}` on another master first, and make a new join file"
                ),
            ));
        }
    }
    Ok(found)
}

/// A machine that was copied with its machine ID. systemd derives hardware addresses
/// from the ID (systemd.link(5), `MACAddressPolicy`), so the pods' interfaces on both
/// would have the same ones.
pub(super) fn copies(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let own = Machine::of(host, &intent.name)?;
    let of = |other: &Machine| {
        Failure::new(
            format!("this node has the machine ID of {}: one is a copy of the other", other.name),
            format!(
                "`rm -f /etc/machine-id /var/lib/dbus/machine-id`, `systemd-machine-id-setup`, and \
                 restart this node; or, if {0} is this node's former name: on the master \
                 `kubectl delete node {0}` and `installer token`, for a new join file",
                other.name
            ),
        )
    };
    Ok(others(intent).filter(|one| one.has_id_of(&own)).map(of).collect())
}

pub(super) fn warnings(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let own = Machine::of(host, &intent.name)?;
    let of = |other: &Machine| {
        Failure::new(
            format!(
                "this node has the product UUID of {}, by which clouds and storage tell machines \
                 apart",
                other.name
            ),
            "give the virtual machine a UUID of its own, as the hypervisor does when it copies one",
        )
    };
    let mut found: Vec<Failure> =
        others(intent).filter(|one| one.has_uuid_of(&own)).map(of).collect();
    let text = host.read("/etc/machine-id")?;
    let is_none = |text: &String| matches!(text.trim(), "" | "uninitialized");
    if text.as_ref().is_some_and(is_none) || text.is_none() && host.is_this_system() {
        found.push(Failure::new(
            "this node has no machine ID, by which systemd and Kubernetes tell machines apart",
            "`systemd-machine-id-setup`, and restart the node",
        ));
    }
    Ok(found)
}

/// The machines in the join file, without this one.
fn others(intent: &Intent) -> impl Iterator<Item = &Machine> {
    let all = intent.join.iter().flat_map(|join| &join.machines);
    all.filter(|one| one.name != intent.name)
}

/// Values of the cluster file that contradict each other, or that other programs'
/// files and commands cannot hold.
pub(super) fn words(_: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let conflicts = intent.cluster.conflicts().into_iter();
    Ok(conflicts.map(|one| Failure::new(one.to_string(), one.cure())).collect())
}

/// The cluster file says what this machine is, and something else was asked for.
pub(super) fn duty(_: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let member = intent.cluster.member(intent.address, &intent.name);
    let wrong = match (member.and_then(|member| member.role), intent.role) {
        (Some(Duty::Master), Role::Worker) => Role::Master,
        (Some(Duty::Worker), Role::Master) => Role::Worker,
        _ => return Ok(Vec::new()),
    };
    Ok(vec![Failure::new(
        format!("`nodes` of the cluster file has {} as a {wrong}", intent.name),
        format!("run this with `--role {wrong}`, or change `role` in the cluster file"),
    )])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_roots() {
        let somebody = Uid::from_raw(1000);
        assert!(may(true, Uid::ROOT) && may(false, somebody) && !may(true, somebody));
    }
}
