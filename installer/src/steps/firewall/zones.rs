//! All zones of firewalld in one place, and the senders that each is bound to.

use ipnet::IpNet;

use super::bus::unanswered;
use super::zone::{Zone, network};
use crate::host::Host;
use crate::receipt::firewalld::{Place, Rule};

/// All zones with their rules.
pub(crate) struct Zones(Vec<Zone>);

impl Zones {
    /// These zones.
    pub(super) fn new(zones: Vec<Zone>) -> Self {
        Self(zones)
    }

    fn zone(&self, name: &str) -> Option<&Zone> {
        self.0.iter().find(|zone| zone.name == name)
    }

    /// Whether there is a zone of that name.
    pub(crate) fn has_zone(&self, name: &str) -> bool {
        self.zone(name).is_some()
    }

    /// What a zone does with packets that no rule matches. `default` lets nothing
    /// in.
    pub(super) fn target(&self, name: &str) -> &str {
        self.zone(name).map_or("default", |zone| &zone.target)
    }

    /// Whether a zone lets everything through, so that it needs no rule of ours.
    pub(crate) fn takes_all(&self, name: &str) -> bool {
        self.zone(name).is_some_and(Zone::takes_all)
    }

    /// Whether a zone lets it through already.
    pub(crate) fn has(&self, rule: &Rule) -> bool {
        self.zone(&rule.zone).is_some_and(|zone| zone.has(rule.kind, &rule.word))
    }

    /// Whether a zone lets a sender in at a port, by a rule for everybody or for
    /// a network that contains the sender.
    pub(crate) fn lets_in(&self, name: &str, sender: &IpNet, port: &str) -> bool {
        self.zone(name).is_some_and(|zone| zone.lets_in(sender, port))
    }

    /// The zone of an interface.
    pub(super) fn of_interface(&self, interface: &str) -> Option<&str> {
        let zone = self.0.iter().find(|zone| zone.has_interface(interface));
        zone.map(|zone| zone.name.as_str())
    }

    /// The sources of each zone that has any.
    pub(super) fn by_source(&self, host: &Host, place: Place) -> anyhow::Result<Vec<Sources>> {
        let mut bound = Vec::new();
        for zone in self.0.iter().filter(|zone| !zone.sources.is_empty()) {
            let (mut networks, mut has_others) = (Vec::new(), false);
            for source in &zone.sources {
                let of = match source.strip_prefix("ipset:") {
                    Some(set) => of_set(host, place, set)?,
                    None => network(source).into_iter().collect(),
                };
                has_others |= of.is_empty();
                networks.extend(of);
            }
            // A zone that drops or rejects packets does so on purpose.
            has_others &= zone.target == "default";
            bound.push(Sources { zone: zone.name.clone(), networks, has_others });
        }
        Ok(bound)
    }
}

/// The sources of a zone.
pub(super) struct Sources {
    pub(super) zone: String,
    pub(super) networks: Vec<IpNet>,
    /// Whether it also has sources with unknown addresses: MAC addresses, and sets that
    /// do not list their entries. Any packet may arrive in such a zone.
    pub(super) has_others: bool,
}

/// The networks of a set; empty if one of its entries is no network, or if firewalld
/// does not list them.
fn of_set(host: &Host, place: Place, set: &str) -> anyhow::Result<Vec<IpNet>> {
    let question = place.command_of(&format!("--ipset={set} --get-entries"));
    let said = host.answer(&question)?;
    // firewalld did not make this set, or its entries expire.
    let is_unknown = ["INVALID_IPSET", "IPSET_WITH_TIMEOUT"];
    if !said.succeeded() && !is_unknown.iter().any(|word| said.stderr.contains(word)) {
        return Err(unanswered(&question, &said).into());
    }
    let entries = said.stdout.lines().map(str::trim).filter(|line| !line.is_empty());
    // An entry can be a pair, such as a network and an interface. Its first word counts.
    let networks = entries.map(|entry| network(entry.split(',').next()?));
    Ok(networks.collect::<Option<_>>().unwrap_or_default())
}
