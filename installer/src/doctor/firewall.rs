//! firewalld, where the installer has set it up.

use super::{Finding, role};
use crate::host::Host;
use crate::receipt;
use crate::role::Role;
use crate::steps::firewall::{OF_ALL, OF_MASTERS, Place, Zones, default_zone, options};

/// It lets nothing through at ports, or will not when it starts the next time. Each
/// is mended by itself: a reload would take kube-proxy's rules away.
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
    let zone = default_zone(host);
    let (mut causes, mut cures) = (Vec::new(), Vec::new());
    for (place, verb) in [(Place::Work, "lets"), (Place::Files, "will let, when it starts anew,")] {
        let missing = Zones::ask(host, place)?.missing(&zone, "ports", &ports);
        if !missing.is_empty() {
            causes.push(format!("firewalld {verb} nothing through at {}", missing.join(", ")));
            let command = place.command(&options(&zone, "add-port", &missing));
            cures.push(command.to_string());
        }
    }
    // Both mostly lack the same.
    Ok(causes.first().map(|cause| Finding::new(cause, cures.join(" && "))))
}
