//! firewalld, if the installer has set it up.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::finding::{Finding, again, role};
use super::kubelet;
use crate::exec::Command;
use crate::host::Host;
use crate::node::registered;
use crate::receipt::firewalld::{Kind, Place, Rule};
use crate::receipt::{self, StepName};
use crate::steps::firewall::{
    Arrival, KUBELETS_PORT, Ways, Zones, default_zone, for_all, is_at_work, opened,
};

/// firewalld lacks rules that the installer added: now, or in its files, which it
/// reads at its next start. Both are mended by single commands, because a reload
/// would flush kube-proxy's rules.
pub(super) fn closed(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !is_ours(host)? {
        return Ok(None);
    }
    let default = default_zone(host)?;
    let (mut causes, mut cures) = (Vec::new(), Vec::new());
    for (place, verb) in [(Place::Work, "lets"), (Place::Files, "will, after its next start, let")]
    {
        let zones = Zones::ask(host, place)?;
        let ours = opened(host, place, &default);
        // `elsewhere` checks in which zone packets arrive.
        let opened = ours.iter().filter(|rule| rule.kind == Kind::Port);
        let mut of: BTreeSet<&str> = opened.map(|rule| rule.zone.as_str()).collect();
        if ours.is_empty() {
            of.insert(&default);
        }
        let all = of.iter().flat_map(|zone| for_all(role(host)).map(|one| one.for_all(zone)));
        let wanted: BTreeSet<Rule> = all.chain(ours.iter().cloned()).collect();
        let is_missing = |rule: &&Rule| {
            !zones.has(rule) && !zones.takes_all(&rule.zone) && zones.has_zone(&rule.zone)
        };
        let missing: Vec<&Rule> = wanted.iter().filter(is_missing).collect();
        if missing.is_empty() {
            continue;
        }
        let words: BTreeSet<String> = missing.iter().map(|rule| shown(rule)).collect();
        let words: Vec<String> = words.into_iter().collect();
        causes.push(format!("firewalld {verb} nothing through at {}", words.join(", ")));
        cures.extend(place.commands("add", &missing).iter().map(typed));
    }
    // Usually both lack the same rules.
    Ok(causes.first().map(|cause| Finding::new(cause, cures.join(" && "))))
}

/// Packets from the cluster's machines arrive in a zone in which nothing was opened
/// for them: the interface has moved to another zone, or machines were added.
pub(super) fn elsewhere(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(address) = kubelet::address(host)? else { return Ok(None) };
    if !is_ours(host)? {
        return Ok(None);
    }
    let default = default_zone(host)?;
    let ways = Ways::of(host, address)?;
    let zones = Zones::ask(host, Place::Work)?;
    let arrival = Arrival::at(host, (Place::Work, &zones), None, &ways, &default)?;
    let mut needed = for_all(role(host));
    let cure = || again(host, &[StepName::Firewall], "open the ports in that zone");
    if let Some(port) = needed.next() {
        let is_closed = |zone: &&String| !zones.takes_all(zone) && !zones.has(&port.for_all(zone));
        if let Some(zone) = arrival.of_interface(ways.own()).iter().find(is_closed) {
            let cause = format!(
                "{} is in firewalld's zone {zone}, in which the installer opened nothing",
                ways.own()
            );
            return Ok(Some(Finding::new(cause, cure())));
        }
    }
    // If the API server does not answer, its own check reports that.
    for machine in registered::addresses(host).unwrap_or_default() {
        let sender = IpNet::from(machine);
        for zone in arrival.of(host, &sender)? {
            if machine != address && !zones.lets_in(&zone, &sender, KUBELETS_PORT) {
                let cause = format!(
                    "{machine} is a node of this cluster, and firewalld's zone {zone} lets nothing \
                     of it through"
                );
                return Ok(Some(Finding::new(cause, cure())));
            }
        }
    }
    Ok(None)
}

/// A firewall that the operator set up is the operator's matter.
fn is_ours(host: &Host) -> anyhow::Result<bool> {
    Ok(receipt::finished(host.lines(), StepName::Firewall) && is_at_work(host)?)
}

/// A rule, in short.
fn shown(rule: &Rule) -> String {
    let attribute = |name: &str| {
        let (_, rest) = rule.word.split_once(&format!(" {name}=\""))?;
        rest.split('"').next()
    };
    match (attribute("address"), attribute("port"), attribute("protocol")) {
        (Some(from), Some(port), Some(protocol)) => format!("{port}/{protocol} from {from}"),
        (Some(from), ..) => {
            let what = attribute("value").or(attribute("name")).unwrap_or("any port");
            format!("{what} from {from}")
        }
        _ => rule.word.clone(),
    }
}

/// A command as an operator types it.
fn typed(command: &Command) -> String {
    let quoted = |word: &String| {
        if word.contains([' ', '"']) { format!("'{word}'") } else { word.clone() }
    };
    command.words().iter().map(quoted).collect::<Vec<_>>().join(" ")
}
