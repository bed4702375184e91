//! One time for all nodes, by chrony. Where the site has time servers all nodes
//! follow those; elsewhere the first master serves its own time to the others.

use ipnet::Ipv4Net;

use super::chrony::{self, ALLOWED, Tracking};
use super::{claims, enabled, file, file_for, unit_is};
use crate::change::Change;
use crate::failure::Failure;
use crate::host::Host;
use crate::role::Role;
use crate::step::{Intent, Node, Step};

/// chrony's configuration.
pub(crate) const PATH: &str = "/etc/chrony.conf";

/// See the module.
pub struct Time;

impl Step for Time {
    fn name(&self) -> &'static str {
        "time"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let text = configuration(node.intent);
        let mut changes = if unit_is(host, "active", "chronyd")? {
            file_for(host, self.name(), PATH, &text, "systemctl restart chronyd")?
        } else {
            let mut changes = file(host, PATH, &text)?;
            changes.extend(claims(host, &["/var/lib/chrony"])?);
            changes
        };
        changes.extend(enabled(host, "chronyd")?);
        let follows = chrony::follows(host)? == Some(true);
        if !serves(node.intent) && (!changes.is_empty() || !follows) {
            // For up to a minute, every second; only that there is a source.
            changes.push(Change::run("chronyc waitsync 60 0 0 1"));
        }
        Ok(changes)
    }
}

/// A clock that is not its source's: what is signed on one node would not be
/// valid yet, or no more, on another.
pub(crate) fn wrong_clock(host: &Host) -> anyhow::Result<Option<Failure>> {
    let wrong = chrony::tracking(host)?.filter(|tracking| tracking.away > ALLOWED);
    Ok(wrong.map(|Tracking { source, away, .. }| {
        Failure::new(
            format!(
                "this node's clock is {away:.1} s away from that of its time source {source}, \
                 and {ALLOWED} s are allowed"
            ),
            "look which of the two is right with `date` on both; if it is the source, run \
             `chronyc makestep` here, or else set the source's clock",
        )
    }))
}

/// Whether chrony already runs as the step would have it. If not, the step has it
/// started anew, which sets the clock.
pub(crate) fn is_ours(host: &Host, intent: &Intent) -> anyhow::Result<bool> {
    Ok(host.read(PATH)? == Some(configuration(intent)) && unit_is(host, "active", "chronyd")?)
}

/// Whether the node's own clock is the cluster's.
pub(crate) fn serves(intent: &Intent) -> bool {
    intent.role == Role::Master && intent.cluster.ntp_servers.is_empty()
}

fn configuration(intent: &Intent) -> String {
    let sources = match (&intent.join, intent.cluster.ntp_servers.as_slice()) {
        (Some(join), []) => format!("server {} iburst\n", join.master_address),
        (_, servers) => servers.iter().map(|server| format!("server {server} iburst\n")).collect(),
    };
    // A network of 256 addresses, or less, is what sites have; others name
    // their own servers.
    let network = Ipv4Net::new_assert(intent.address, 24).trunc();
    let serve =
        if serves(intent) { format!("local stratum 10\nallow {network}\n") } else { String::new() };
    format!(
        "# Written by kubeferry: one time for all nodes.\n{sources}{serve}driftfile /var/lib/chrony/drift\n\
         makestep 1.0 3\nrtcsync\nlogdir /var/log/chrony\n"
    )
}
