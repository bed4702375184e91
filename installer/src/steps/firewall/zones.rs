//! firewalld's zones as it lists them: which packets arrive in each, and what it lets
//! through.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::exec::{Command, Output};
use crate::failure::Failure;
use crate::host::Host;
use crate::receipt::firewalld::{Kind, Place, Rule};

/// firewalld's own settings.
const CONFIGURATION: &str = "/etc/firewalld/firewalld.conf";

/// All zones with their rules, as `--list-all-zones` prints them.
pub(crate) struct Zones(String);

impl Zones {
    /// Asks firewalld. One call for all zones, because each call is slow.
    pub(crate) fn ask(host: &Host, place: Place) -> anyhow::Result<Self> {
        Ok(Self(answer(host, &place.command_of("--list-all-zones"))?))
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.lines().filter(|line| is_name(line)).filter_map(|line| line.split(' ').next())
    }

    /// Whether there is a zone of that name.
    pub(crate) fn has_zone(&self, zone: &str) -> bool {
        self.names().any(|name| name == zone)
    }

    /// The lines below a zone's name. A zone in use has more words after its
    /// name.
    fn lines<'a>(&'a self, zone: &str) -> impl Iterator<Item = &'a str> {
        let after = self
            .0
            .lines()
            .skip_while(|line| !is_name(line) || line.split(' ').next() != Some(zone))
            .skip(1);
        after.take_while(|line| !is_name(line))
    }

    /// The words of a line `  key: words`.
    pub(super) fn listed<'a>(&'a self, zone: &str, key: &str) -> Vec<&'a str> {
        self.lines(zone)
            .find_map(|line| line.trim_start().strip_prefix(key)?.strip_prefix(':'))
            .map(|words| words.split_ascii_whitespace().collect())
            .unwrap_or_default()
    }

    /// What a zone does with packets that no rule matches. `default` lets nothing
    /// in.
    pub(super) fn target(&self, zone: &str) -> &str {
        self.listed(zone, "target").first().copied().unwrap_or("default")
    }

    /// Whether a zone lets everything through, so that it needs no rule of ours.
    pub(crate) fn takes_all(&self, zone: &str) -> bool {
        self.target(zone) == "ACCEPT"
    }

    /// Whether a zone lets it through already. A wider range of ports counts:
    /// firewalld joins neighbouring ports.
    pub(crate) fn has(&self, rule: &Rule) -> bool {
        if rule.kind == Kind::RichRule {
            let plain = |text: &str| text.replace('"', "");
            return self.lines(&rule.zone).any(|line| plain(line.trim()) == plain(&rule.word));
        }
        let listed = self.listed(&rule.zone, rule.kind.key());
        match (rule.kind, ports(&rule.word)) {
            (Kind::Port, Some(wanted)) => {
                let ranges = listed.iter().filter_map(|word| ports(word));
                ranges.into_iter().any(|(first, last, of)| {
                    first <= wanted.0 && last >= wanted.1 && of == wanted.2
                })
            }
            _ => listed.contains(&rule.word.as_str()),
        }
    }

    /// Whether a zone lets a sender in at a port, by a rule for everybody or for
    /// a network that contains the sender.
    pub(crate) fn lets_in(&self, zone: &str, sender: &IpNet, port: &str) -> bool {
        let open = Rule { zone: zone.to_owned(), kind: Kind::Port, word: port.to_owned() };
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        let element = format!(" port port={number} protocol={protocol} accept");
        let is_for = |line: &str| {
            let line = line.trim().replace('"', "");
            let source =
                line.split_once("source address=").and_then(|(_, rest)| rest.split_once(' '));
            source.is_some_and(|(source, _)| {
                network(source).is_some_and(|network| network.contains(sender))
                    && line.ends_with(&element)
            })
        };
        self.has(&open) || self.lines(zone).any(is_for)
    }

    /// The zone of an interface. A `+` at the end of a name matches anything.
    pub(super) fn of_interface(&self, interface: &str) -> Option<&str> {
        let is = |name: &&str| match name.strip_suffix('+') {
            Some(beginning) => interface.starts_with(beginning),
            None => *name == interface,
        };
        self.names().find(|zone| self.listed(zone, "interfaces").iter().any(is))
    }

    /// The sources of each zone that has any.
    pub(super) fn by_source(&self, host: &Host, place: Place) -> anyhow::Result<Vec<Sources>> {
        let mut bound = Vec::new();
        for zone in self.names() {
            let listed = self.listed(zone, "sources");
            let (mut networks, mut has_others) = (Vec::new(), false);
            for source in &listed {
                let of = match source.strip_prefix("ipset:") {
                    Some(set) => of_set(host, place, set)?,
                    None => network(source).into_iter().collect(),
                };
                has_others |= of.is_empty();
                networks.extend(of);
            }
            if !listed.is_empty() {
                // A zone that drops or rejects packets does so on purpose.
                has_others &= self.target(zone) == "default";
                bound.push(Sources { zone: zone.to_owned(), networks, has_others });
            }
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

fn is_name(line: &str) -> bool {
    !line.is_empty() && !line.starts_with([' ', '\t'])
}

/// Reads a network or an address; none for a MAC address, which tells no network.
fn network(word: &str) -> Option<IpNet> {
    let address = || word.parse::<IpAddr>().map(IpNet::from).ok();
    word.parse::<IpNet>().ok().or_else(address)
}

/// First port, last port, protocol.
fn ports(word: &str) -> Option<(u16, u16, &str)> {
    let (ports, protocol) = word.split_once('/')?;
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    Some((first.parse().ok()?, last.parse().ok()?, protocol))
}

fn answer(host: &Host, question: &Command) -> anyhow::Result<String> {
    let said = host.answer(question)?;
    if said.succeeded() {
        return Ok(said.stdout);
    }
    Err(unanswered(question, &said).into())
}

/// The failure if firewalld does not answer, which is neither yes nor no.
pub(super) fn unanswered(question: &Command, said: &Output) -> Failure {
    let reason = said.reason().unwrap_or("it says nothing").to_owned();
    Failure::new(
        format!("`{question}` does not answer: {reason}"),
        "see why with `systemctl status firewalld`, or set `firewall: leave` in the cluster file",
    )
}

/// Whether firewalld runs, by its own word.
pub(crate) fn is_at_work(host: &Host) -> anyhow::Result<bool> {
    let question = Command::of("firewall-cmd --state");
    let said = host.answer(&question)?;
    match said.status {
        Some(0) => Ok(true),
        // NOT_RUNNING (firewall-cmd(1)), or firewalld is not installed.
        Some(252 | 127) => Ok(false),
        _ => Err(unanswered(&question, &said).into()),
    }
}

/// The zone of interfaces that are in no other, as firewalld reads it at its start
/// (firewalld.conf(5)).
pub(crate) fn default_zone(host: &Host) -> anyhow::Result<String> {
    let text = host.text(CONFIGURATION)?.unwrap_or_default();
    let value = |line: &str| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "DefaultZone").then(|| value.trim().to_owned())
    };
    let zone = text.lines().find_map(value).filter(|zone| !zone.is_empty());
    Ok(zone.unwrap_or_else(|| "public".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_among_others() {
        let text = "block\n  target: %%REJECT%%\n  ports: 1/tcp\n\n\
                    public (default, active)\n  target: default\n  interfaces: eth0 bond+\n  \
                    sources: \n  services: cockpit ssh\n  ports: 22/tcp 10000-10250/tcp\n  \
                    source-ports: 9/udp\n  rich rules: \n\trule family=\"ipv4\" accept\n\n\
                    trusted\n  target: ACCEPT\n  sources: 10.244.0.0/16\n  ports: \n";
        let zones = Zones(text.to_owned());
        assert_eq!(zones.listed("public", "ports"), ["22/tcp", "10000-10250/tcp"]);
        assert_eq!(zones.listed("public", "services"), ["cockpit", "ssh"]);
        assert_eq!(zones.listed("public", "sources"), [""; 0]);
        assert_eq!(zones.listed("trusted", "sources"), ["10.244.0.0/16"]);
        assert_eq!(zones.listed("trusted", "services"), [""; 0]);
        assert_eq!(zones.listed("none", "ports"), [""; 0]);
        assert_eq!(zones.names().collect::<Vec<_>>(), ["block", "public", "trusted"]);
        assert_eq!(zones.target("block"), "%%REJECT%%");
        assert!(zones.takes_all("trusted") && !zones.takes_all("public"));
        assert_eq!(zones.of_interface("eth0"), Some("public"));
        assert_eq!(zones.of_interface("bond1"), Some("public"));
        assert_eq!(zones.of_interface("eth1"), None);
        let has = |kind, word: &str| {
            zones.has(&Rule { zone: "public".to_owned(), kind, word: word.to_owned() })
        };
        assert!(
            has(Kind::Port, "22/tcp")
                && has(Kind::Port, "10250/tcp")
                && has(Kind::Port, "10000/tcp")
        );
        assert!(
            !has(Kind::Port, "10251/tcp")
                && !has(Kind::Port, "22/udp")
                && !has(Kind::Port, "22-23/tcp")
        );
        assert!(has(Kind::RichRule, "rule family=ipv4 accept") && has(Kind::Service, "ssh"));
        assert!(
            !has(Kind::RichRule, "rule family=ipv6 accept") && !has(Kind::Source, "10.244.0.0/16")
        );
    }
}
