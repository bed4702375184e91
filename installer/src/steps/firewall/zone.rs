//! A zone of firewalld: which packets arrive in it, and what it lets through.

use std::net::IpAddr;

use ipnet::IpNet;

use super::words::Value;
use crate::receipt::firewalld::Kind;

/// A zone, as far as it concerns us.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Zone {
    pub(super) name: String,
    /// What it does with packets that no rule matches. `default` lets nothing in.
    pub(super) target: String,
    pub(super) interfaces: Vec<String>,
    pub(super) sources: Vec<String>,
    services: Vec<String>,
    ports: Vec<String>,
    protocols: Vec<String>,
    rich_rules: Vec<String>,
}

impl Zone {
    /// Reads entries that came over D-Bus (firewalld.dbus(5), `getZoneSettings2`). Empty lists
    /// are left out there. None if these are no entries of a zone.
    pub(super) fn of_entries(name: &str, entries: &Value) -> Option<Self> {
        let words = |key| entries.entry(key).map(Value::words).unwrap_or_default();
        Some(Self {
            name: name.to_owned(),
            target: entries.entry("target")?.word()?.to_owned(),
            interfaces: words("interfaces"),
            sources: words("sources"),
            services: words("services"),
            ports: entries.entry("ports").map(ports_of).unwrap_or_default(),
            protocols: words("protocols"),
            rich_rules: words("rules_str"),
        })
    }

    /// Reads settings that came over D-Bus (firewalld.dbus(5), `getZoneSettings`). None if
    /// they are not those of a zone.
    pub(super) fn of_settings(name: &str, settings: &Value) -> Option<Self> {
        let words = |place: usize| Some(settings.members().get(place)?.words());
        Some(Self {
            name: name.to_owned(),
            target: settings.members().get(4)?.word()?.to_owned(),
            services: words(5)?,
            ports: ports_of(settings.members().get(6)?),
            interfaces: words(10)?,
            sources: words(11)?,
            rich_rules: words(12)?,
            protocols: words(13)?,
        })
    }

    /// Reads the list of `firewall-offline-cmd --list-all-zones`.
    pub(super) fn all_in(list: &str) -> Vec<Self> {
        let mut zones: Vec<Self> = Vec::new();
        for line in list.lines().filter(|line| !line.trim().is_empty()) {
            if !line.starts_with([' ', '\t']) {
                // A zone in use has more words after its name.
                let name = line.split(' ').next().unwrap_or_default().to_owned();
                zones.push(Self { name, ..Self::default() });
            } else if let Some(zone) = zones.last_mut() {
                zone.learn(line.trim());
            }
        }
        zones
    }

    /// Reads a line `key: words`, or one of the lines below `rich rules:`.
    fn learn(&mut self, line: &str) {
        if line.starts_with("rule ") {
            self.rich_rules.push(line.to_owned());
        }
        let Some((key, words)) = line.split_once(':') else { return };
        let words = words.split_ascii_whitespace().map(str::to_owned);
        match key {
            "target" => self.target = words.collect(),
            "interfaces" => self.interfaces = words.collect(),
            "sources" => self.sources = words.collect(),
            "services" => self.services = words.collect(),
            "ports" => self.ports = words.collect(),
            "protocols" => self.protocols = words.collect(),
            _ => {}
        }
    }

    /// Whether it lets everything through, so that it needs no rule of ours.
    pub(super) fn takes_all(&self) -> bool {
        self.target == "ACCEPT"
    }

    /// Whether it has an interface. A `+` at the end of a name matches anything.
    pub(super) fn has_interface(&self, interface: &str) -> bool {
        self.interfaces.iter().any(|name| match name.strip_suffix('+') {
            Some(beginning) => interface.starts_with(beginning),
            None => name == interface,
        })
    }

    /// Whether it lets something through already. A wider range of ports counts: firewalld
    /// joins neighbouring ports.
    pub(super) fn has(&self, kind: Kind, word: &str) -> bool {
        let is = |one: &String| one == word;
        match kind {
            Kind::Port => self.ports.iter().any(|range| contains(range, word)),
            Kind::Protocol => self.protocols.iter().any(is),
            Kind::RichRule => self.rich_rules.iter().any(|rule| plain(rule) == plain(word)),
            Kind::Service => self.services.iter().any(is),
            Kind::Source => self.sources.iter().any(is),
        }
    }

    /// Whether it lets a sender in at a port, by a rule for everybody or for a network that
    /// contains the sender.
    pub(super) fn lets_in(&self, sender: &IpNet, port: &str) -> bool {
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        let element = format!(" port port={number} protocol={protocol} accept");
        let is_for = |rule: &String| {
            let rule = plain(rule);
            let source =
                rule.split_once("source address=").and_then(|(_, rest)| rest.split_once(' '));
            let network = source.and_then(|(source, _)| network(source));
            network.is_some_and(|network| network.contains(sender)) && rule.ends_with(&element)
        };
        self.has(Kind::Port, port) || self.rich_rules.iter().any(is_for)
    }
}

/// Ports that came over D-Bus as pairs of port and protocol.
fn ports_of(pairs: &Value) -> Vec<String> {
    pairs.members().iter().map(|pair| pair.words().join("/")).collect()
}

/// Reads a network or an address; none for a MAC address, which tells no network.
pub(super) fn network(word: &str) -> Option<IpNet> {
    let address = || word.parse::<IpAddr>().map(IpNet::from).ok();
    word.parse::<IpNet>().ok().or_else(address)
}

/// A rich rule without its quotes.
fn plain(rule: &str) -> String {
    rule.replace('"', "")
}

/// Whether a range of ports contains another.
fn contains(range: &str, wanted: &str) -> bool {
    let (Some(range), Some(wanted)) = (ports(range), ports(wanted)) else { return false };
    range.0 <= wanted.0 && range.1 >= wanted.1 && range.2 == wanted.2
}

/// First port, last port, protocol.
fn ports(word: &str) -> Option<(u16, u16, &str)> {
    let (ports, protocol) = word.split_once('/')?;
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    Some((first.parse().ok()?, last.parse().ok()?, protocol))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn public() -> Zone {
        Zone {
            name: "public".to_owned(),
            target: "default".to_owned(),
            interfaces: words(&["eth0", "bond+"]),
            services: words(&["cockpit", "ssh"]),
            ports: words(&["22/tcp", "10000-10250/tcp"]),
            rich_rules: words(&["rule family=\"ipv4\" accept"]),
            ..Zone::default()
        }
    }

    #[test]
    fn all_zones_are_read_from_a_list() {
        let list = "block\n  target: %%REJECT%%\n  ports: 1/tcp\n\n\
                    public (default, active)\n  target: default\n  interfaces: eth0 bond+\n  \
                    sources: \n  services: cockpit ssh\n  ports: 22/tcp 10000-10250/tcp\n  \
                    source-ports: 9/udp\n  rich rules: \n\trule family=\"ipv4\" accept\n\n\
                    trusted\n  target: ACCEPT\n  sources: 10.244.0.0/16\n  ports: \n";
        let zones = Zone::all_in(list);
        let names: Vec<&str> = zones.iter().map(|zone| zone.name.as_str()).collect();
        assert_eq!(names, ["block", "public", "trusted"]);
        assert_eq!(
            (zones[0].target.as_str(), &zones[0].ports[..]),
            ("%%REJECT%%", &words(&["1/tcp"])[..])
        );
        assert_eq!(zones[1], public());
        assert!(zones[2].takes_all() && !zones[1].takes_all());
        assert_eq!((&zones[2].sources, &zones[2].ports), (&words(&["10.244.0.0/16"]), &words(&[])));
    }

    #[test]
    fn a_zone_is_read_from_its_settings() {
        let reply = "(sssbsasa(ss)asba(ssss)asasasasa(ss)b) \"\" \"Public\" \"For use.\" false \
                     \"default\" 2 \"cockpit\" \"ssh\" 2 \"22\" \"tcp\" \"10000-10250\" \"tcp\" 0 \
                     false 0 2 \"eth0\" \"bond+\" 0 1 \"rule family=\\\"ipv4\\\" accept\" 0 1 \"9\" \
                     \"udp\" false\n";
        let settings = Value::of_reply(reply).unwrap();
        assert_eq!(Zone::of_settings("public", &settings[0]), Some(public()));
        assert_eq!(Zone::of_settings("public", &Value::Members(Vec::new())), None);
    }

    #[test]
    fn a_zone_is_read_from_its_entries() {
        let reply = "a{sv} 6 \"target\" s \"default\" \"forward\" b true \"services\" as 2 \"cockpit\" \
                     \"ssh\" \"ports\" a(ss) 2 \"22\" \"tcp\" \"10000-10250\" \"tcp\" \"interfaces\" as 2 \
                     \"eth0\" \"bond+\" \"rules_str\" as 1 \"rule family=\\\"ipv4\\\" accept\"\n";
        let entries = Value::of_reply(reply).unwrap();
        assert_eq!(Zone::of_entries("public", &entries[0]), Some(public()));
        assert_eq!(Zone::of_entries("public", &Value::Members(Vec::new())), None);
    }

    #[test]
    fn a_zone_has_what_it_lists() {
        let zone = public();
        assert!(zone.has_interface("eth0") && zone.has_interface("bond1"));
        assert!(!zone.has_interface("eth1"));
        for port in ["22/tcp", "10250/tcp", "10000/tcp"] {
            assert!(zone.has(Kind::Port, port), "{port}");
        }
        for port in ["10251/tcp", "22/udp", "22-23/tcp"] {
            assert!(!zone.has(Kind::Port, port), "{port}");
        }
        assert!(zone.has(Kind::RichRule, "rule family=ipv4 accept"));
        assert!(!zone.has(Kind::RichRule, "rule family=ipv6 accept"));
        assert!(zone.has(Kind::Service, "ssh") && !zone.has(Kind::Source, "10.244.0.0/16"));
    }
}
