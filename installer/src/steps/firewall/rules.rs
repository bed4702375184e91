//! firewalld's rules. It has them twice: at work, and in its files, which it reads
//! when it starts. Each place is asked and changed separately, because a reload
//! flushes the rules of all programs, kube-proxy's too (before firewalld 2.0 also
//! with nftables).

use std::path::PathBuf;

use crate::exec::Command;
use crate::install::Change;
use crate::receipt::Intention;
use crate::receipt::firewalld::{Place, Rule};

impl Place {
    /// A command for rules in this place.
    pub(crate) fn command<S: Into<String>>(self, options: impl IntoIterator<Item = S>) -> Command {
        let program = Command::of(match self {
            Self::Work => "firewall-cmd",
            Self::Files => "firewall-cmd --permanent",
            Self::FilesOfStopped => "firewall-offline-cmd",
        });
        options.into_iter().fold(program, Command::with)
    }

    /// The same, for options without spaces.
    pub(super) fn command_of(self, options: &str) -> Command {
        self.command(options.split_ascii_whitespace())
    }

    /// The changes that add rules: one command for each zone and kind, because
    /// firewall-cmd takes only one of each. At a reset, rules at work are removed
    /// again, and files are restored. If the step ends with a reload (`reloads`), that puts the
    /// files' rules to work, so a reset has firewalld read the restored files.
    pub(super) fn add(self, rules: &[&Rule], reloads: bool) -> Vec<Change> {
        let undo = |group: &[&Rule]| match self {
            Self::Work => vec![self.command_for("remove", group)],
            Self::Files if reloads => vec![read_again()],
            Self::Files | Self::FilesOfStopped => Vec::new(),
        };
        let add = |group: Vec<&Rule>| {
            let rules = group.iter().copied().cloned().collect();
            self.run(self.command_for("add", &group), &file_of(&group), undo(&group))
                .intended(Intention::Open { place: self, rules })
        };
        groups(rules).into_iter().map(add).collect()
    }

    /// The changes that remove rules.
    pub(super) fn remove(self, rules: &[&Rule]) -> Vec<Change> {
        let remove = |group: Vec<&Rule>| {
            let rules = group.iter().copied().cloned().collect();
            self.run(self.command_for("remove", &group), &file_of(&group), Vec::new())
                .intended(Intention::Close { place: self, rules })
        };
        groups(rules).into_iter().map(remove).collect()
    }

    /// The commands by which rules are added or removed.
    pub(crate) fn commands(self, verb: &str, rules: &[&Rule]) -> Vec<Command> {
        groups(rules).iter().map(|group| self.command_for(verb, group)).collect()
    }

    /// The command for rules of one zone and kind.
    fn command_for(self, verb: &str, group: &[&Rule]) -> Command {
        let zone = group.first().map(|rule| format!("--zone={}", rule.zone));
        let option = |rule: &&Rule| format!("--{verb}-{}={}", rule.kind.option(), rule.word);
        self.command(zone.into_iter().chain(group.iter().map(option)))
    }

    /// Another change in this place, by options without spaces. `undo` takes it
    /// back.
    pub(super) fn change(self, options: &str, file: &str, undo: Vec<Command>) -> Change {
        self.run(self.command_of(options), file, undo)
    }

    fn run(self, command: Command, file: &str, undo: Vec<Command>) -> Change {
        let path = |end: &str| PathBuf::from(format!("/etc/firewalld/{file}.xml{end}"));
        let files = if self == Self::Work { Vec::new() } else { vec![path(""), path(".old")] };
        Change::Run { command, undo, files, intention: None }
    }
}

/// What a reset runs so that firewalld reads its restored files. If it is off, it stays off.
/// Only this makes firewalld forget a policy.
pub(super) fn read_again() -> Command {
    Command::of("systemctl try-restart firewalld")
}

/// The rules of each zone and kind.
fn groups<'a>(rules: &[&'a Rule]) -> Vec<Vec<&'a Rule>> {
    let mut groups: Vec<Vec<&Rule>> = Vec::new();
    for rule in rules {
        let is_of = |one: &&Rule| (&one.zone, one.kind) == (&rule.zone, rule.kind);
        match groups.iter_mut().find(|group| group.iter().any(is_of)) {
            Some(group) => group.push(rule),
            None => groups.push(vec![rule]),
        }
    }
    groups
}

/// The file of a group's zone.
fn file_of(group: &[&Rule]) -> String {
    group.first().map_or_else(String::new, |rule| format!("zones/{}", rule.zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::firewalld::Kind;

    #[test]
    fn rules_of_one_zone_and_kind_are_one_command() {
        let rule = |zone: &str, word: &str| Rule {
            zone: zone.to_owned(),
            kind: Kind::Port,
            word: word.to_owned(),
        };
        let rules = [rule("a", "1/tcp"), rule("b", "1/tcp"), rule("a", "2/tcp")];
        let rules: Vec<&Rule> = rules.iter().collect();
        let commands = Place::Files.commands("add", &rules);
        let commands: Vec<String> = commands.iter().map(ToString::to_string).collect();
        assert_eq!(
            commands,
            [
                "firewall-cmd --permanent --zone=a --add-port=1/tcp --add-port=2/tcp",
                "firewall-cmd --permanent --zone=b --add-port=1/tcp"
            ]
        );
    }
}
