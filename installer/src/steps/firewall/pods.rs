//! What pods send is let in, and what comes from other nodes to pods is forwarded.

use bundle_format::cluster::Cluster;
use ipnet::IpNet;

use super::arrival::Arrival;
use super::zones::{Zones, unanswered};
use super::{at_next_start, is_live};
use crate::exec::Command;
use crate::host::Host;
use crate::install::Change;
use crate::node::firewalld::{Kind, Place, Rule};

const POLICY: &str = "kubeferry-pods";
/// firewalld's zone that lets all in.
const TRUSTED: &str = "trusted";

/// The zone that pods' network is the source of: a network can be of one zone only.
pub(super) fn zone(arrival: &Arrival<'_>, cluster: &Cluster) -> String {
    let pods = IpNet::V4(cluster.pod_cidr);
    let own = arrival.bound().iter().find(|(_, sources)| sources.contains(&pods));
    own.map_or_else(|| TRUSTED.to_owned(), |(zone, _)| zone.clone())
}

/// The rules that let pods in: in another zone too that has a larger network, or the
/// same, as its source, and may so be asked first.
pub(super) fn rules(zones: &Zones, arrival: &Arrival<'_>, cluster: &Cluster) -> Vec<Rule> {
    let pods = IpNet::V4(cluster.pod_cidr);
    let mut rules = Vec::new();
    if zone(arrival, cluster) == TRUSTED {
        rules.push(Rule { zone: TRUSTED.to_owned(), kind: Kind::Source, word: pods.to_string() });
    }
    for (zone, sources) in arrival.bound() {
        if sources.iter().any(|source| source.contains(&pods)) && !zones.takes_all(zone) {
            let word = format!("rule family=\"ipv4\" source address=\"{pods}\" accept");
            rules.push(Rule { zone: zone.clone(), kind: Kind::RichRule, word });
        }
    }
    rules
}

/// What comes from other nodes to pods is forwarded. Since firewalld 0.9 that is
/// a policy from anywhere to the zone that has the pods; before, a direct rule. Gives
/// the changes before those of zones, and one that is to be last.
pub(super) fn forwarded(
    host: &Host,
    places: &[Place],
    pods: &str,
    zone: &str,
) -> anyhow::Result<(Vec<Change>, Option<Change>)> {
    let Some(files) = places.first() else { return Ok((Vec::new(), None)) };
    let question = format!("--info-policy={POLICY}");
    let info = host.answer(&files.command_of(&question))?;
    if !info.succeeded() && !knows_policies(host, *files)? {
        return Ok((direct(host, places, pods)?, None));
    }
    let egress = format!("egress-zones: {zone}");
    let is_whole = |said: &str| {
        ["target: ACCEPT", "ingress-zones: ANY", &egress].iter().all(|line| said.contains(line))
    };
    let mut changes = Vec::new();
    if !is_whole(&info.stdout) {
        let file = format!("policies/{POLICY}");
        // Only by its files firewalld forgets a policy. One that is off stays so.
        let undo = || vec![Command::of("systemctl try-restart firewalld")];
        if !info.succeeded() {
            changes.push(files.change(&format!("--new-policy={POLICY}"), &file, undo()));
        }
        let egress = format!("--add-egress-zone={zone}");
        for option in ["--set-target=ACCEPT", "--add-ingress-zone=ANY", &egress] {
            changes.push(files.change(&format!("--policy={POLICY} {option}"), &file, undo()));
        }
    }
    if !places.contains(&Place::Work) {
        return Ok((changes, None));
    }
    let at_work = host.answer(&Place::Work.command_of(&question))?;
    if changes.is_empty() && is_whole(&at_work.stdout) {
        return Ok((changes, None));
    }
    // And only by its files it learns of one.
    if !is_live(host) {
        return Ok((changes, Some(Change::run("firewall-cmd --reload"))));
    }
    if changes.is_empty() {
        let what = "firewalld does not yet let other nodes' traffic through to pods, though its \
                    files say so: reading them anew it would take away the rules by which Services \
                    are reached";
        return Err(at_next_start(what).into());
    }
    Ok((changes, None))
}

/// Whether firewalld has policies: to older ones the option is unknown, which is status 2
/// of Python's programs.
fn knows_policies(host: &Host, place: Place) -> anyhow::Result<bool> {
    let question = place.command_of("--get-policies");
    let said = host.answer(&question)?;
    match said.status {
        Some(0) => Ok(true),
        Some(2) => Ok(false),
        _ => Err(unanswered(&question, &said).into()),
    }
}

/// The rule of a firewalld without policies.
fn direct(host: &Host, places: &[Place], pods: &str) -> anyhow::Result<Vec<Change>> {
    let rule = format!("ipv4 filter FORWARD 0 -d {pods} -j ACCEPT");
    let mut changes = Vec::new();
    for place in places {
        if host.answer(&place.command_of(&format!("--direct --query-rule {rule}")))?.succeeded() {
            continue;
        }
        let remove = place.command_of(&format!("--direct --remove-rule {rule}"));
        let undo = if *place == Place::Work { vec![remove] } else { Vec::new() };
        changes.push(place.change(&format!("--direct --add-rule {rule}"), "direct", undo));
    }
    Ok(changes)
}
