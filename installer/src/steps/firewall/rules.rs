//! firewalld's rules, which it has twice: at work, and in its files, of which it
//! makes those at work when it starts. Each is asked and changed by itself, since
//! firewalld takes away everybody's rules when it reads its files anew, and so
//! kube-proxy's (before firewalld 2.0 on nftables too).

use std::path::PathBuf;

use crate::change::Change;
use crate::exec::{Command, Output};
use crate::failure::Failure;
use crate::host::Host;

/// Where rules are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At work, until firewalld reads its files.
    Work,
    /// In the files of a firewalld that runs.
    Files,
    /// In the files of one that does not.
    FilesOfStopped,
}

impl Place {
    /// A command with these options for rules there.
    pub(crate) fn command(self, options: &str) -> Command {
        let program = match self {
            Self::Work => "firewall-cmd",
            Self::Files => "firewall-cmd --permanent",
            Self::FilesOfStopped => "firewall-offline-cmd",
        };
        Command::of(&format!("{program} {options}"))
    }

    /// Asks, where a wrong no does no harm.
    pub(super) fn query(self, host: &Host, options: &str) -> Output {
        host.ask(&self.command(options))
    }

    /// Whether a command is for rules there.
    pub(super) fn is_of(self, command: &Command) -> bool {
        let is_permanent = match command.words() {
            [program, first, ..] if program == "firewall-cmd" => first == "--permanent",
            [program, ..] => program == "firewall-offline-cmd",
            [] => false,
        };
        is_permanent == (self != Self::Work)
    }

    /// Adds rules. At a reset those at work are removed again, and files are as they
    /// were.
    pub(super) fn add(self, options: &str, file: &str) -> Change {
        let opposite = options.replace("--add-", "--remove-");
        let undo = if self == Self::Work { vec![self.command(&opposite)] } else { Vec::new() };
        self.change(options, file, undo)
    }

    /// Another change there, which `undo` takes back besides.
    pub(super) fn change(self, options: &str, file: &str, undo: Vec<Command>) -> Change {
        let path = |end: &str| PathBuf::from(format!("/etc/firewalld/{file}.xml{end}"));
        let files = if self == Self::Work { Vec::new() } else { vec![path(""), path(".old")] };
        Change::Run { command: self.command(options), undo, files }
    }
}

/// All zones with their rules, as `--list-all-zones` prints them.
pub(crate) struct Zones(String);

impl Zones {
    /// Asks for them. Each call takes firewall-cmd a good part of a second: one tells
    /// all.
    pub(crate) fn ask(host: &Host, place: Place) -> anyhow::Result<Self> {
        let question = place.command("--list-all-zones");
        let said = host.answer(&question)?;
        if said.succeeded() {
            return Ok(Self(said.stdout));
        }
        let reason = said.reason().unwrap_or("it says nothing").to_owned();
        Err(Failure::new(
            format!("`{question}` does not answer: {reason}"),
            "see why with `systemctl status firewalld`, or have `firewall: leave` in the cluster file",
        )
        .into())
    }

    /// What a zone has under a key: its name, with more words after it where it is in
    /// use, and below it lines of `  key: words`.
    pub(crate) fn listed(&self, zone: &str, key: &str) -> Vec<&str> {
        let is_name = |line: &str| !line.is_empty() && !line.starts_with([' ', '\t']);
        self.0
            .lines()
            .skip_while(|line| !is_name(line) || line.split(' ').next() != Some(zone))
            .skip(1)
            .take_while(|line| !is_name(line))
            .find_map(|line| line.trim_start().strip_prefix(key)?.strip_prefix(':'))
            .map(|words| words.split_ascii_whitespace().collect())
            .unwrap_or_default()
    }

    /// What a zone lacks of `wanted` under a key.
    pub(crate) fn missing<'a>(&self, zone: &str, key: &str, wanted: &[&'a str]) -> Vec<&'a str> {
        let has = self.listed(zone, key);
        wanted.iter().filter(|word| !has.contains(*word)).copied().collect()
    }
}

/// Options for a zone, all of one kind: firewall-cmd takes no others at a time.
pub(crate) fn options(zone: &str, option: &str, words: &[&str]) -> String {
    let options: String = words.iter().map(|word| format!(" --{option}={word}")).collect();
    format!("--zone={zone}{options}")
}

/// The zone of all interfaces that are in no other, as firewalld reads it when it
/// starts (firewalld.conf(5)).
pub(crate) fn default_zone(host: &Host) -> String {
    let text = host.read("/etc/firewalld/firewalld.conf").ok().flatten().unwrap_or_default();
    let zone = text.lines().find_map(|line| line.strip_prefix("DefaultZone="));
    zone.map(str::trim).filter(|zone| !zone.is_empty()).unwrap_or("public").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_among_others() {
        let text = "block\n  target: %%REJECT%%\n  ports: 1/tcp\n\n\
                    public (default, active)\n  target: default\n  sources: \n  \
                    services: cockpit ssh\n  ports: 22/tcp 10250/tcp\n  source-ports: 9/udp\n  \
                    rich rules: \n\trule family=\"ipv4\" accept\n\n\
                    trusted\n  target: ACCEPT\n  sources: 10.244.0.0/16\n  ports: \n";
        let zones = Zones(text.to_owned());
        assert_eq!(zones.listed("public", "ports"), ["22/tcp", "10250/tcp"]);
        assert_eq!(zones.listed("public", "services"), ["cockpit", "ssh"]);
        assert_eq!(zones.listed("public", "sources"), [""; 0]);
        assert_eq!(zones.listed("trusted", "sources"), ["10.244.0.0/16"]);
        assert_eq!(zones.listed("trusted", "services"), [""; 0]);
        assert_eq!(zones.listed("none", "ports"), [""; 0]);
        assert_eq!(zones.missing("public", "ports", &["22/tcp", "9/udp"]), ["9/udp"]);
    }

    #[test]
    fn a_command_is_of_one_place() {
        for place in [Place::Work, Place::Files, Place::FilesOfStopped] {
            let command = place.command("--zone=public --add-port=1/tcp");
            assert!(place.is_of(&command), "{command}");
            assert_eq!(Place::Work.is_of(&command), place == Place::Work);
            assert_eq!(Place::Files.is_of(&command), place != Place::Work);
        }
    }
}
