//! What earlier runs let through, by the receipt. What was open before is not ours to
//! close.

use std::collections::BTreeMap;

use super::rules::{KINDS, Place, Rule};
use crate::exec::Command;
use crate::host::Host;
use crate::receipt;

/// The rules that earlier runs made at a place, and that none has removed since.
pub(crate) fn rules(host: &Host, place: Place, default: &str) -> Vec<Rule> {
    // Older versions changed files only, and had firewalld read them anew.
    let mut last = said(host, Place::Files, default);
    if place == Place::Work {
        last.extend(said(host, place, default));
    }
    last.into_iter().filter_map(|(rule, is_open)| is_open.then_some(rule)).collect()
}

/// Each rule of which a command for that place was, with whether the last added it.
fn said(host: &Host, place: Place, default: &str) -> BTreeMap<Rule, bool> {
    let commands = receipt::commands(host.lines());
    commands.filter(|command| place.is_of(command)).flat_map(|one| of(one, default)).collect()
}

/// A command that names no zone is for the default one.
fn of(command: &Command, default: &str) -> Vec<(Rule, bool)> {
    let words = command.words();
    let zone = words.iter().find_map(|word| word.strip_prefix("--zone=")).unwrap_or(default);
    let rule = |word: &String| {
        let (option, value) = word.split_once('=')?;
        let (verb, kind) = option.strip_prefix("--")?.split_once('-')?;
        let (kind, _) = KINDS.into_iter().find(|(known, _)| *known == kind)?;
        let rule = Rule { zone: zone.to_owned(), kind, word: value.to_owned() };
        ["add", "remove"].contains(&verb).then_some((rule, verb == "add"))
    };
    words.iter().filter_map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_with_their_zones() {
        let rich = "--add-rich-rule=rule family=\"ipv4\" source address=\"10.0.0.3\" accept";
        for (command, zone, kind, word, is_open) in [
            (
                Command::of("firewall-cmd --permanent --add-port=80/tcp"),
                "d",
                "port",
                "80/tcp",
                true,
            ),
            (
                Command::of("firewall-cmd --zone=a --remove-service=nfs"),
                "a",
                "service",
                "nfs",
                false,
            ),
            (
                Command::of("firewall-cmd --zone=a").with(rich),
                "a",
                "rich-rule",
                "rule family=\"ipv4\" source address=\"10.0.0.3\" accept",
                true,
            ),
        ] {
            let rule = Rule { zone: zone.to_owned(), kind, word: word.to_owned() };
            assert_eq!(of(&command, "d"), [(rule, is_open)]);
        }
        let policy = "firewall-cmd --permanent --policy=p --add-ingress-zone=ANY";
        assert!(of(&Command::of(policy), "d").is_empty());
    }
}
