//! One time for all nodes, by chrony. Where the site has time servers all nodes
//! follow those; elsewhere the first master serves its own time to the others. Other
//! programs that set the clock end: two of them pull at it, and units that conflict with
//! chronyd may win at the next boot (ansible-role-ntp#22).

use crate::node::paths::CHRONY_CONF;
use ipnet::Ipv4Net;

use crate::engine::step::Step;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::chrony;
use crate::node::chrony::{ALLOWED, Tracking};
use crate::node::systemd::{unit_is, unit_told};
use crate::receipt::StepName;
use crate::role::Role;
use crate::steps::file::{claims, file, file_for};
use crate::steps::unit::{enabled, ended};

/// Services that set a clock from the network, also the one that does so once at boot.
const OTHERS: [&str; 7] =
    ["ntp", "ntpd", "ntpdate", "ntpsec", "openntpd", "sntp", "systemd-timesyncd"];
/// Services that set it from a card's clock (linuxptp): who has these has bought them.
const PRECISE: [&str; 2] = ["phc2sys", "timemaster"];
/// VMware's tools, which may set it from the machine below.
const TOOLS: &str = "/usr/bin/vmware-toolbox-cmd";

/// See the module.
pub struct Time;

impl Step<Intent> for Time {
    fn name(&self) -> StepName {
        StepName::Time
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let text = configuration(node.intent);
        let mut changes = without_others(host)?;
        changes.extend(if unit_is(host, "active", "chronyd")? {
            file_for(host, self.name(), CHRONY_CONF, &text, "systemctl restart chronyd")?
        } else {
            let mut changes = file(host, CHRONY_CONF, &text)?;
            changes.extend(claims(host, &["/var/lib/chrony"])?);
            changes
        });
        changes.extend(enabled(host, "chronyd")?);
        let follows = chrony::follows(host)? == Some(true);
        if !serves(node.intent) && (!changes.is_empty() || !follows) {
            // For up to a minute, every second; only that there is a source.
            changes.push(Change::run("chronyc waitsync 60 0 0 1"));
        }
        Ok(changes)
    }
}

/// What ends all others that set the clock.
pub(crate) fn without_others(host: &Host) -> anyhow::Result<Vec<Change>> {
    for unit in PRECISE {
        let is = |question, word| anyhow::Ok(unit_told(host, question, unit)? == word);
        if is("is-active", "active")? || is("is-enabled", "enabled")? {
            return Err(Failure::new(
                format!("{unit} sets this node's clock, and so would chronyd"),
                format!(
                    "`systemctl disable --now {unit}`; or `--skip time`, if all nodes have the \
                     same time by it"
                ),
            )
            .into());
        }
    }
    let mut changes = Vec::new();
    for unit in OTHERS {
        changes.extend(ended(host, unit)?);
    }
    if host.exists(TOOLS) {
        let said = host.answer(&Command::of(TOOLS).with("timesync").with("status"))?;
        if said.stdout.trim() == "Enabled" {
            changes.push(Change::run_undone_by(
                &format!("{TOOLS} timesync disable"),
                &format!("{TOOLS} timesync enable"),
            ));
        }
    }
    Ok(changes)
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
    Ok(host.read(CHRONY_CONF)? == Some(configuration(intent))
        && unit_is(host, "active", "chronyd")?)
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
