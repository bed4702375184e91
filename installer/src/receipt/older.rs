//! What the commands of older receipts were for. Those receipts do not say it, so it
//! is read from the command lines: here, and nowhere else.

use std::path::PathBuf;

use bundle_format::Nevra;

use super::intention::Intention;
use crate::exec::Command;
use crate::receipt::firewalld::{Kind, Place, Rule};

/// What a command was for, if a later run needs to know.
pub(super) fn intention(command: &Command) -> Option<Intention> {
    let words: Vec<&str> = command.words().iter().map(String::as_str).collect();
    match words.as_slice() {
        ["firewall-cmd", "--permanent", options @ ..] => firewall(Place::Files, options),
        ["firewall-cmd", options @ ..] => firewall(Place::Work, options),
        ["firewall-offline-cmd", options @ ..] => firewall(Place::FilesOfStopped, options),
        ["rpm", "--import", files @ ..] => {
            Some(Intention::ImportKeys { files: files.iter().map(PathBuf::from).collect() })
        }
        words => {
            let is_setting = |word: &&str| word.starts_with("IP_AUTODETECTION_METHOD");
            words.iter().any(is_setting).then_some(Intention::SetCniInterface)
        }
    }
}

/// A command that adds or removes rules.
fn firewall(place: Place, options: &[&str]) -> Option<Intention> {
    let zone = options.iter().find_map(|word| word.strip_prefix("--zone=")).unwrap_or_default();
    let rules = |verb: &str| -> Vec<Rule> {
        let rule = |word: &&str| {
            let (option, value) = word.strip_prefix(verb)?.split_once('=')?;
            let kind = Kind::ALL.into_iter().find(|kind| kind.option() == option)?;
            Some(Rule { zone: zone.to_owned(), kind, word: value.to_owned() })
        };
        options.iter().filter_map(rule).collect()
    };
    let (opened, closed) = (rules("--add-"), rules("--remove-"));
    if !opened.is_empty() {
        return Some(Intention::Open { place, rules: opened });
    }
    (!closed.is_empty()).then_some(Intention::Close { place, rules: closed })
}

/// The packages that a command installed, and the names that were new: dnf or yum
/// would remove these at a reset.
pub(super) fn packages<'a>(
    command: &Command,
    undo: &'a [Command],
) -> Option<(Vec<Nevra>, &'a [String])> {
    let [undo] = undo else { return None };
    let (tool, words) = undo.words().split_first()?;
    let at = words.iter().position(|word| word == "remove")?;
    let names = words.get(at + 1..).filter(|_| ["dnf", "yum"].contains(&tool.as_str()))?;
    Some((command.words().iter().filter_map(|word| word.parse().ok()).collect(), names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_with_their_places_and_zones() {
        let rich = "--add-rich-rule=rule family=\"ipv4\" source address=\"10.0.0.3\" accept";
        for (command, place, zone, kind, word, is_open) in [
            (
                Command::of("firewall-cmd --permanent --add-port=80/tcp"),
                Place::Files,
                "",
                Kind::Port,
                "80/tcp",
                true,
            ),
            (
                Command::of("firewall-cmd --zone=a --remove-service=nfs"),
                Place::Work,
                "a",
                Kind::Service,
                "nfs",
                false,
            ),
            (
                Command::of("firewall-offline-cmd --zone=a").with(rich),
                Place::FilesOfStopped,
                "a",
                Kind::RichRule,
                "rule family=\"ipv4\" source address=\"10.0.0.3\" accept",
                true,
            ),
        ] {
            let rules = vec![Rule { zone: zone.to_owned(), kind, word: word.to_owned() }];
            let expected = match is_open {
                true => Intention::Open { place, rules },
                false => Intention::Close { place, rules },
            };
            assert_eq!(intention(&command), Some(expected));
        }
        let policy = "firewall-cmd --permanent --policy=p --add-ingress-zone=ANY";
        assert_eq!(intention(&Command::of(policy)), None);
    }
}
