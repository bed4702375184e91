//! firewalld, if it runs or starts at boot. The ports that the role needs are opened,
//! for those who need them, in the zones where their packets arrive. Ports that
//! earlier runs opened and nothing needs any more are closed. Pods' traffic is let
//! through. On a node that is in its cluster, nothing is done that would flush
//! kube-proxy's rules.

mod arrival;
mod ask;
mod bus;
mod direct;
mod needs;
mod next_start;
mod opened;
mod peers;
mod pods;
mod policy;
mod rules;
mod words;
mod zone;
mod zones;

use bundle_format::cluster::Firewall;
use bundle_format::parallel::{both, each};
use ipnet::IpNet;

pub(crate) use self::arrival::{Arrival, Ways};
pub(crate) use self::ask::{default_zone, is_at_work};
pub(crate) use self::needs::{KUBELET as KUBELETS_PORT, for_all};
use self::needs::{Opening, Whom};
use self::next_start::{at_next_start, is_live};
pub(crate) use self::opened::rules as opened;
use self::peers::Peers;
pub(crate) use self::peers::problem;
use self::policy::Policy;
pub(crate) use self::zones::Zones;
use crate::engine::step::Step;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::systemd::unit_is;
use crate::receipt::StepName;
use crate::receipt::firewalld::{Kind, Place, Rule};

/// Opens and closes ports in firewalld.
pub struct FirewallRules;

impl Step<Intent> for FirewallRules {
    fn name(&self) -> StepName {
        StepName::Firewall
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let firewall = node.intent.cluster.firewall;
        if firewall == Firewall::Leave {
            return Ok(Vec::new());
        }
        let runs = unit_is(host, "active", "firewalld")?;
        let starts = unit_is(host, "enabled", "firewalld")?;
        match firewall {
            Firewall::Leave => Ok(Vec::new()),
            Firewall::Flush => flush(host, runs, starts),
            Firewall::Configure if runs => configure(node, &[Place::Files, Place::Work]),
            Firewall::Configure if starts => configure(node, &[Place::FilesOfStopped]),
            Firewall::Configure => Ok(Vec::new()),
        }
    }
}

/// The changes that stop firewalld, now and at each boot. Stopping it flushes all
/// rules; so beside Kubernetes it is only disabled, and ends at the node's next
/// start.
fn flush(host: &Host, runs: bool, starts: bool) -> anyhow::Result<Vec<Change>> {
    let is_live = is_live(host);
    let (end, begin) = match (runs && !is_live, starts) {
        (true, true) => ("disable --now", "enable --now"),
        (true, false) => ("stop", "start"),
        (false, true) => ("disable", "enable"),
        (false, false) if runs => {
            let what = "firewalld is off from the node's next start on, but still runs: stopping it \
                        would take away the rules by which Services are reached";
            return Err(at_next_start(what).into());
        }
        (false, false) => return Ok(Vec::new()),
    };
    let unit = "firewalld";
    let lines = (format!("systemctl {end} {unit}"), format!("systemctl {begin} {unit}"));
    Ok(vec![Change::run_undone_by(&lines.0, &lines.1)])
}

fn configure(node: &Node<'_>, places: &[Place]) -> anyhow::Result<Vec<Change>> {
    let (host, intent) = (node.host, node.intent);
    let default = default_zone(host)?;
    let ways = Ways::of(host, intent.address)?;
    let needs = needs::of(intent);
    // Each of these waits for programs.
    let ((peers, policies), listed) = both(
        || both(|| Peers::of(host, intent, &ways), || Policy::in_each(host, places)),
        || each(places, places.len(), |place| Ok((*place, Zones::ask(host, *place)?))),
    );
    let policies = policies?;
    let listed = listed.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let at_work = listed.iter().find(|(place, _)| *place == Place::Work).map(|(_, zones)| zones);
    let (mut wanted, mut of_pods) = (Vec::new(), None);
    for (place, zones) in &listed {
        let arrival = Arrival::at(host, (*place, zones), at_work, &ways, &default)?;
        of_pods.get_or_insert_with(|| pods::zone(&arrival, &intent.cluster));
        let mut rules = pods::rules(zones, &arrival, &intent.cluster);
        rules.extend(rules_for(host, &needs, &peers, &arrival)?);
        wanted.push(rules);
    }
    let pods = intent.cluster.pod_cidr.to_string();
    let zone = of_pods.unwrap_or_default();
    let (mut changes, reload) = pods::forwarded(host, places, &policies, &pods, &zone)?;
    for ((place, zones), rules) in listed.iter().zip(&wanted) {
        // A reload puts to work what is in files by then, and nothing else stays at work.
        if *place != Place::Work || reload.is_none() {
            let missing: Vec<&Rule> = rules.iter().filter(|rule| !zones.has(rule)).collect();
            changes.extend(place.add(&missing, reload.is_some()));
        }
    }
    // Rules of ours that no part of this cluster needs any more are removed. firewalld joins its
    // files and what is at work only when it reads its files. Rules at work go first: one that was
    // opened only in files is ours at work until it is closed in files.
    for (place, zones) in listed.iter().rev() {
        let mut left = opened::rules(host, *place, &default);
        left.retain(|rule| zones.has(rule) && !wanted.iter().any(|rules| rules.contains(rule)));
        if peers.are_partial {
            // Such a rule may be the one by which a machine of the cluster
            // gets in.
            left.retain(|rule| rule.kind != Kind::RichRule && !is_for_nodes(&needs, rule));
        }
        changes.extend(place.remove(&left.iter().collect::<Vec<_>>()));
    }
    changes.extend(reload);
    Ok(changes)
}

/// The rules for each zone in which packets arrive from those who need them.
fn rules_for(
    host: &Host,
    needs: &[(Whom, Opening)],
    peers: &Peers,
    arrival: &Arrival<'_>,
) -> anyhow::Result<Vec<Rule>> {
    let mut rules = Vec::new();
    let of_nodes = |whom: Whom| whom == Whom::Nodes && !peers.networks.is_empty();
    for zone in arrival.of_all() {
        let for_all = needs.iter().filter(|(whom, _)| !of_nodes(*whom));
        rules.extend(for_all.map(|(_, opening)| opening.for_all(&zone)));
    }
    for peer in &peers.networks {
        for zone in arrival.of(host, peer)? {
            let for_nodes = needs.iter().filter(|(whom, _)| of_nodes(*whom));
            rules.extend(for_nodes.map(|(_, opening)| opening.for_source(&zone, peer)));
        }
    }
    Ok(rules)
}

fn is_for_nodes(needs: &[(Whom, Opening)], rule: &Rule) -> bool {
    let mut of_nodes = needs.iter().filter(|(whom, _)| *whom == Whom::Nodes);
    of_nodes.any(|(_, opening)| (opening.kind, &opening.word) == (rule.kind, &rule.word))
}

impl Opening {
    /// The rule that lets everybody in.
    pub(crate) fn for_all(&self, zone: &str) -> Rule {
        Rule { zone: zone.to_owned(), kind: self.kind, word: self.word.clone() }
    }

    /// The rule that lets one network in (firewalld.richlanguage(5)).
    fn for_source(&self, zone: &str, source: &IpNet) -> Rule {
        let family = if matches!(source, IpNet::V4(_)) { "ipv4" } else { "ipv6" };
        let is_one = source.prefix_len() == source.max_prefix_len();
        let address = if is_one { source.addr().to_string() } else { source.to_string() };
        let element = match (self.kind, self.word.split_once('/')) {
            (Kind::Port, Some((port, protocol))) => {
                format!("port port=\"{port}\" protocol=\"{protocol}\"")
            }
            (Kind::Protocol, _) => format!("protocol value=\"{}\"", self.word),
            (kind, _) => format!("{} name=\"{}\"", kind.option(), self.word),
        };
        let word =
            format!("rule family=\"{family}\" source address=\"{address}\" {element} accept");
        Rule { zone: zone.to_owned(), kind: Kind::RichRule, word }
    }
}
