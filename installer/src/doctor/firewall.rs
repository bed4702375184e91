//! firewalld, where the installer has set it up.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Finding, again, kubelet, role};
use crate::exec::Command;
use crate::host::Host;
use crate::node::firewalld::{Kind, Place, Rule};
use crate::node::registered;
use crate::receipt::{self, StepName};
use crate::steps::firewall::{
    Arrival, KUBELETS_PORT, Ways, Zones, default_zone, for_all, is_at_work, opened,
};

/// It lets nothing through at ports, or will not when it starts the next time. Each
/// is mended by itself: a reload would take kube-proxy's rules away.
pub(super) fn closed(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !is_ours(host)? {
        return Ok(None);
    }
    let default = default_zone(host)?;
    let (mut causes, mut cures) = (Vec::new(), Vec::new());
    for (place, verb) in [(Place::Work, "lets"), (Place::Files, "will let, when it starts anew,")] {
        let zones = Zones::ask(host, place)?;
        let ours = opened(host, place, &default);
        // Where packets arrive is another question.
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
    // Both mostly lack the same.
    Ok(causes.first().map(|cause| Finding::new(cause, cures.join(" && "))))
}

/// Packets of the cluster's machines arrive in a zone in which nothing was opened for
/// them: the interface has moved, or machines have come.
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
    // Who cannot be asked now is told by the check of the API server.
    for machine in registered::addresses(host).unwrap_or_default() {
        let sender = IpNet::from(machine);
        for zone in arrival.of(host, &sender)? {
            if machine != IpAddr::V4(address) && !zones.lets_in(&zone, &sender, KUBELETS_PORT) {
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

/// Who has set it up himself knows better.
fn is_ours(host: &Host) -> anyhow::Result<bool> {
    Ok(receipt::finished(host.lines(), StepName::Firewall) && is_at_work(host)?)
}

/// A rule in few words.
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

/// A command as it is typed.
fn typed(command: &Command) -> String {
    let quoted = |word: &String| {
        if word.contains([' ', '"']) { format!("'{word}'") } else { word.clone() }
    };
    command.words().iter().map(quoted).collect::<Vec<_>>().join(" ")
}
