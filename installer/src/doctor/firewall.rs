//! firewalld, where the installer has set it up.

use super::{Finding, role};
use crate::host::Host;
use crate::receipt;
use crate::role::Role;
use crate::steps::firewall::{OF_ALL, OF_MASTERS};

pub(super) fn closed(host: &Host) -> anyhow::Result<Option<Finding>> {
    // Who has set it up himself knows better.
    let is_ours = receipt::finished(host.lines(), "firewall");
    if !is_ours || !host.query("firewall-cmd --state").succeeded() {
        return Ok(None);
    }
    let mut ports = OF_ALL.to_vec();
    if role(host) == Role::Master {
        ports.extend(OF_MASTERS);
    }
    let open = host.query("firewall-cmd --list-ports").stdout;
    let open: Vec<&str> = open.split_ascii_whitespace().collect();
    ports.retain(|port| !open.contains(port));
    if ports.is_empty() {
        return Ok(None);
    }
    let options: String = ports.iter().map(|port| format!(" --add-port={port}")).collect();
    Ok(Some(Finding::new(
        format!("firewalld lets nothing through at {}", ports.join(", ")),
        format!("firewall-cmd --permanent{options} && firewall-cmd --reload"),
    )))
}
