//! The rules that earlier runs made, by the receipt. What was open before is not ours
//! to close.

use std::collections::BTreeMap;

use crate::host::Host;
use crate::receipt::firewalld::{Place, Rule};
use crate::receipt::{self, Intention};

/// The rules that earlier runs made in a place, and that none has removed since.
pub(crate) fn rules(host: &Host, place: Place, default: &str) -> Vec<Rule> {
    // Rules may be added only in files, and a reload then puts them to work.
    let mut last = said(host, Place::Files, default);
    if place == Place::Work {
        last.extend(said(host, place, default));
    }
    last.into_iter().filter_map(|(rule, is_open)| is_open.then_some(rule)).collect()
}

/// Each rule that a command in this place added or removed, and whether the last one
/// added it.
fn said(host: &Host, place: Place, default: &str) -> BTreeMap<Rule, bool> {
    let mut last = BTreeMap::new();
    for intention in receipt::intentions(host.lines()) {
        let (at, rules, is_open) = match intention {
            Intention::Open { place, rules } => (place, rules, true),
            Intention::Close { place, rules } => (place, rules, false),
            _ => continue,
        };
        if (at == Place::Work) != (place == Place::Work) {
            continue;
        }
        for mut rule in rules {
            if rule.zone.is_empty() {
                default.clone_into(&mut rule.zone);
            }
            last.insert(rule, is_open);
        }
    }
    last
}
