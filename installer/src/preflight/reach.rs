//! What is to be reached, and at which ports nobody else may answer.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use super::has_begun;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::role::Role;
use crate::step::Intent;

/// How long the API server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

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
    // By then it is Kubernetes itself that has them.
    if has_begun(host) {
        return Ok(found);
    }
    let ports: &[&str] = match intent.role {
        Role::Master => &["6443", "2379", "2380", "10250", "10257", "10259"],
        Role::Worker => &["10250"],
    };
    // Its header has no address; older ones have no option that leaves it out.
    let listening = host.answer(&Command::of("ss -ltn"))?.stdout;
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
