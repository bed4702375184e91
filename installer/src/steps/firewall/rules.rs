//! firewalld's rules, which it has twice: at work, and in its files, of which it
//! makes those at work when it starts. Each is asked and changed by itself, since
//! firewalld takes away everybody's rules when it reads its files anew, and so
//! kube-proxy's (before firewalld 2.0 on nftables too).

use std::path::PathBuf;

use crate::exec::Command;
use crate::install::Change;

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

/// Something that a zone lets through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    /// The zone.
    pub(crate) zone: String,
    /// Its kind, as firewall-cmd's options have it after `--add-`.
    pub(crate) kind: &'static str,
    /// Its value.
    pub(crate) word: String,
}

/// The kinds of rules that we make: the options of each, and the key under which a
/// zone lists them.
pub(crate) const KINDS: [(&str, &str); 5] = [
    ("service", "services"),
    ("port", "ports"),
    ("protocol", "protocols"),
    ("rich-rule", "rich rules"),
    ("source", "sources"),
];

impl Place {
    /// A command with these options for rules there.
    pub(crate) fn command<S: Into<String>>(self, options: impl IntoIterator<Item = S>) -> Command {
        let program = Command::of(match self {
            Self::Work => "firewall-cmd",
            Self::Files => "firewall-cmd --permanent",
            Self::FilesOfStopped => "firewall-offline-cmd",
        });
        options.into_iter().fold(program, Command::with)
    }

    /// The same, for options that have no spaces.
    pub(super) fn command_of(self, options: &str) -> Command {
        self.command(options.split_ascii_whitespace())
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

    /// What adds rules: a command for all of one zone and kind, since firewall-cmd takes
    /// no others at a time. At a reset those at work are removed again, each from its
    /// zone, and files are as they were.
    pub(super) fn add(self, rules: &[&Rule]) -> Vec<Change> {
        let commands = self.commands("add", rules).into_iter();
        let undo = self.commands("remove", rules).into_iter();
        let undo = undo.map(|(_, command)| if self == Self::Work { vec![command] } else { vec![] });
        commands
            .zip(undo)
            .map(|((zone, command), undo)| self.run(command, &format!("zones/{zone}"), undo))
            .collect()
    }

    /// What removes rules.
    pub(super) fn remove(self, rules: &[&Rule]) -> Vec<Change> {
        let commands = self.commands("remove", rules).into_iter();
        commands
            .map(|(zone, command)| self.run(command, &format!("zones/{zone}"), Vec::new()))
            .collect()
    }

    /// The commands by which rules are added or removed, each with its zone.
    pub(crate) fn commands<'a>(self, verb: &str, rules: &[&'a Rule]) -> Vec<(&'a str, Command)> {
        let mut groups: Vec<((&str, &str), Vec<&str>)> = Vec::new();
        for rule in rules {
            let group = (rule.zone.as_str(), rule.kind);
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, words)) => words.push(&rule.word),
                None => groups.push((group, vec![&rule.word])),
            }
        }
        let command = |((zone, kind), words): ((&'a str, &str), Vec<&str>)| {
            let options = words.iter().map(|word| format!("--{verb}-{kind}={word}"));
            (zone, self.command(std::iter::once(format!("--zone={zone}")).chain(options)))
        };
        groups.into_iter().map(command).collect()
    }

    /// Another change there, by options without spaces, which `undo` takes back.
    pub(super) fn change(self, options: &str, file: &str, undo: Vec<Command>) -> Change {
        self.run(self.command_of(options), file, undo)
    }

    fn run(self, command: Command, file: &str, undo: Vec<Command>) -> Change {
        let path = |end: &str| PathBuf::from(format!("/etc/firewalld/{file}.xml{end}"));
        let files = if self == Self::Work { Vec::new() } else { vec![path(""), path(".old")] };
        Change::Run { command, undo, files }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_of_one_place() {
        for place in [Place::Work, Place::Files, Place::FilesOfStopped] {
            let command = place.command_of("--zone=public --add-port=1/tcp");
            assert!(place.is_of(&command), "{command}");
            assert_eq!(Place::Work.is_of(&command), place == Place::Work);
            assert_eq!(Place::Files.is_of(&command), place != Place::Work);
        }
    }

    #[test]
    fn rules_of_one_zone_and_kind_are_one_command() {
        let rule = |zone: &str, kind, word: &str| Rule {
            zone: zone.to_owned(),
            kind,
            word: word.to_owned(),
        };
        let rules =
            [rule("a", "port", "1/tcp"), rule("b", "port", "1/tcp"), rule("a", "port", "2/tcp")];
        let rules: Vec<&Rule> = rules.iter().collect();
        let commands = Place::Files.commands("add", &rules);
        let commands: Vec<String> = commands.iter().map(|(_, one)| one.to_string()).collect();
        assert_eq!(
            commands,
            [
                "firewall-cmd --permanent --zone=a --add-port=1/tcp --add-port=2/tcp",
                "firewall-cmd --permanent --zone=b --add-port=1/tcp"
            ]
        );
    }
}
