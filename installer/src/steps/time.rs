//! One time for all nodes, by chrony. If the site has time servers, all nodes follow
//! them; otherwise the first master serves its own time to the others, and further masters pass
//! it on. Other programs
//! that set the clock are switched off: two of them fight, and a unit that conflicts
//! with chronyd may win at the next boot (ansible-role-ntp#22).

use ipnet::IpNet;

use crate::engine::step::Step;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::chrony::{self, ALLOWED, Tracking};
use crate::node::paths::CHRONY_CONF;
use crate::node::systemd::{unit_is, unit_told, units_there};
use crate::receipt::StepName;
use crate::role::Role;
use crate::steps::file::{claims, file, file_for};
use crate::steps::unit::{enabled, ended};

/// Services that set the clock from the network, at boot or always.
const OTHERS: [&str; 7] =
    ["ntp", "ntpd", "ntpdate", "ntpsec", "openntpd", "sntp", "systemd-timesyncd"];
/// Services that set the clock from a network card (linuxptp). A site that has such
/// cards wants them.
const PRECISE: [&str; 2] = ["phc2sys", "timemaster"];
/// VMware's tools, which may set the clock from the host.
const TOOLS: &str = "/usr/bin/vmware-toolbox-cmd";

/// Sets up chrony.
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
        if has_source(node.intent) && (!changes.is_empty() || !follows) {
            // Up to 60 tries, one a second, until there is a source.
            changes.push(Change::run("chronyc waitsync 60 0 0 1"));
        }
        Ok(changes)
    }
}

/// The changes that switch off all other programs that set the clock.
pub(crate) fn without_others(host: &Host) -> anyhow::Result<Vec<Change>> {
    for unit in units_there(host, &PRECISE)? {
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
    for unit in units_there(host, &OTHERS)? {
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

/// The failure if the clock differs from its source. A certificate signed on one node
/// would not be valid on another.
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

/// Whether chrony already runs as this step sets it up. If not, the step restarts it,
/// and that sets the clock.
pub(crate) fn is_ours(host: &Host, intent: &Intent) -> anyhow::Result<bool> {
    Ok(host.read(CHRONY_CONF)? == Some(configuration(intent))
        && unit_is(host, "active", "chronyd")?)
}

/// Whether this node follows another clock.
fn has_source(intent: &Intent) -> bool {
    intent.join.is_some() || !intent.cluster.ntp_servers.is_empty()
}

/// Whether the other nodes follow this node's clock.
pub(crate) fn serves(intent: &Intent) -> bool {
    intent.role == Role::Master && intent.cluster.ntp_servers.is_empty()
}

fn configuration(intent: &Intent) -> String {
    let servers: Vec<String> = match (&intent.join, intent.cluster.ntp_servers.as_slice()) {
        (Some(join), []) => {
            // A master's own join file names itself.
            let masters = join.all_masters().into_iter().map(|master| master.address);
            masters.filter(|one| *one != intent.address).map(|one| one.to_string()).collect()
        }
        (_, servers) => servers.to_vec(),
    };
    let sources: String =
        servers.iter().map(|server| format!("server {server} iburst\n")).collect();
    // Sites without time servers usually have one network of at most 256
    // addresses.
    let size = if intent.address.is_ipv4() { 24 } else { 64 };
    let network = IpNet::new_assert(intent.address, size).trunc();
    let serve =
        if serves(intent) { format!("local stratum 10\nallow {network}\n") } else { String::new() };
    format!(
        "# Written by kubeferry: one time for all nodes.\n{sources}{serve}driftfile /var/lib/chrony/drift\n\
         makestep 1.0 3\nrtcsync\nlogdir /var/log/chrony\n"
    )
}
