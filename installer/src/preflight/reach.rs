//! The API server that must be reached, and the ports that must be free.

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::join::{JoinFile, Master};
use crate::node::paths::KUBELET_CONF;
use crate::node::reach::answers;
use crate::preflight::earlier::has_begun;
use crate::preflight::expectations;
use crate::role::Role;

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    if let Some(join) = intent.join.as_ref().filter(|join| !join.is_sample())
        && !answers(host, &join.endpoint)
    {
        found.push(Failure::new(
            format!("the master's API server at {} does not answer", join.endpoint),
            "check the cable, the address in the join file and the master's firewall",
        ));
    }
    found.extend(etcd(host, intent));
    // Then Kubernetes itself has these ports.
    if has_begun(host) {
        return Ok(found);
    }
    let ports: &[&str] = match intent.role {
        Role::Master => &["6443", "2379", "2380", "2381", "10248", "10250", "10257", "10259"],
        Role::Worker => &["10248", "10250"],
    };
    let listening = listening(host)?;
    for port in ports {
        if let Some(by) = taken(&listening, port) {
            found.push(Failure::new(
                format!("port {port} is taken by {by}"),
                format!("see which with `ss -ltnp`, and end it: Kubernetes needs port {port}"),
            ));
        }
    }
    Ok(found)
}

/// etcd's ports, for clients and for members.
const ETCD: [u16; 2] = [2379, 2380];

/// A further master must reach each member of etcd: kubeadm asks all of them, for minutes,
/// and a member that does not answer counts against the quorum.
fn etcd(host: &Host, intent: &Intent) -> Vec<Failure> {
    let is_real = |join: &&JoinFile| join.control_plane.is_some() && !join.is_sample();
    let join = intent.join.as_ref().filter(is_real);
    let Some(join) = join.filter(|_| !host.exists(KUBELET_CONF)) else { return Vec::new() };
    let silent = |master: Master| {
        let places = ETCD.map(|port| format!("{}:{port}", master.address));
        let place = places.into_iter().find(|place| !answers(host, place))?;
        Some(Failure::new(
            format!("etcd of the master {} does not answer at {place}", master.name),
            format!(
                "start that master, and let this node reach its ports 2379 and 2380; if it is lost, \
                 `installer remove {}` on another master, and make a new join file",
                master.name
            ),
        ))
    };
    join.all_masters().into_iter().filter_map(silent).collect()
}

/// A pod whose port is taken is not scheduled here. Other pods are, so this is a
/// warning.
pub(super) fn warnings(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut ports = expectations::host_ports(intent).peekable();
    if has_begun(host) || ports.peek().is_none() {
        return Ok(Vec::new());
    }
    let listening = listening(host)?;
    let mut found = Vec::new();
    for (manifest, port) in ports {
        let Some(number) = port.strip_suffix("/TCP") else { continue };
        if let Some(by) = taken(&listening, number) {
            found.push(Failure::new(
                format!(
                    "port {number} is taken by {by}, and pods of the bundle's manifest {} want it",
                    manifest.name
                ),
                "end that program, or have it listen elsewhere",
            ));
        }
    }
    Ok(found)
}

/// What `ss` prints. Its header contains no address; older versions cannot leave it
/// out.
fn listening(host: &Host) -> anyhow::Result<String> {
    Ok(host.answer(&Command::of("ss -ltnp"))?.stdout)
}

/// The program that has a port: the fourth column is the address, and the sixth, for
/// root, `users:(("httpd",pid=7,fd=4))`.
fn taken(listening: &str, port: &str) -> Option<String> {
    let end = format!(":{port}");
    let line = listening.lines().find(|line| {
        line.split_ascii_whitespace().nth(3).is_some_and(|address| address.ends_with(&end))
    })?;
    let name = line.split_once("((\"").and_then(|(_, rest)| rest.split('"').next());
    Some(name.map_or_else(|| "another program".to_owned(), ToOwned::to_owned))
}
