//! What there is to worry about, the worst first.

use std::collections::BTreeMap;

use bundle_format::lock::DisabledCheck;
use bundle_format::text::count;
use maud::{Markup, html};

use super::checks;
use super::facts::Facts;
use super::keys::{End, Key};
use super::shown;
use super::signer;
use crate::inspect::audit::By;

/// All worries, a sentence each. Things of which the same is to be said share one.
pub(super) fn all(facts: &Facts<'_>) -> Vec<Markup> {
    let lock = facts.bundle.lock();
    let mut said = signer::worries(facts);
    said.extend(moved(facts));
    said.extend(switched_off(facts));
    said.extend(checks::off_on_nodes(lock));
    said.extend(unproven(facts));
    said.extend(ending(facts));
    said.extend(with_sha1(facts));
    said.extend(checks::warned(lock));
    let edited = facts.patched.len();
    if edited > 0 {
        said.push(html! {
            a href="#patches" { strong { (count(edited, "manifest")) } }
            (if edited == 1 { " is" } else { " are" })
            " not as upstream published, because the spec changes lines."
        });
    }
    said
}

/// The checks that are off, those first that were not off in the bundle before.
fn switched_off(facts: &Facts<'_>) -> Option<Markup> {
    let off = &facts.bundle.lock().disabled_checks;
    let was_off = |check: &&DisabledCheck| {
        facts.before.as_ref().is_none_or(|(before, _)| {
            let mut all = before.lock().disabled_checks.iter();
            all.any(|old| old.check == check.check && old.subject == check.subject)
        })
    };
    let names = |all: &[&DisabledCheck]| {
        let name = |off: &&DisabledCheck| format!("{} for {}", off.check.words(), off.subject);
        let names: Vec<String> = all.iter().map(name).collect();
        shown::names(&names)
    };
    let (old, new): (Vec<_>, Vec<_>) = off.iter().partition(was_off);
    (!off.is_empty()).then(|| {
        html! {
            a href="#checks" { strong { (count(off.len(), "check")) } }
            (if off.len() == 1 { " is" } else { " are" }) " switched off; "
            a href="#checks" { "the reasons" } " are below. "
            @if !new.is_empty() {
                strong { "Not off in the bundle before: " (names(&new)) "." }
            }
            @if !old.is_empty() {
                @if facts.before.is_some() { " Off in the bundle before, too: " }
                (names(&old)) "."
            }
        }
    })
}

/// What has the same name and version as in the bundle before, and other bytes.
fn moved(facts: &Facts<'_>) -> Option<Markup> {
    let changes = facts.before.iter().flat_map(|(_, difference)| &difference.changes);
    let names: Vec<&str> = changes.filter_map(|change| change.other_content.as_deref()).collect();
    (!names.is_empty()).then(|| {
        html! {
            a href="#changes" { strong { (count(names.len(), "thing")) } }
            (if names.len() == 1 { " has" } else { " have" })
            " the same version as in the bundle before and other content: "
            (shown::names(&names)) "."
        }
    })
}

/// What is not vouched for, or not by a signature that was checked against a key of the site's.
fn unproven(facts: &Facts<'_>) -> Vec<Markup> {
    let mut said = Vec::new();
    said.extend(by_nobody(facts));
    let connection = facts.vouched().get(&By::Connection).copied().unwrap_or_default();
    if connection > 0 {
        said.push(html! {
            a href="#vouchers" { strong { (count(connection, "thing")) } }
            " came over TLS, and nothing else vouches."
        });
    }
    if facts.bundle.signed().is_none() {
        said.push(html! {
            "The signature of the bundle was " strong { "not checked" } ", because no key was given: "
            code { "--trusted-key FILE" } " checks it. The number of a key (key id) proves nothing, \
             because anybody can choose it."
        });
    }
    if !facts.keys.is_empty() {
        said.push(html! {
            "The vendors' keys came with the bundle: compare their "
            a href="#vouchers" { "fingerprints" } " with those that the vendors publish."
        });
    }
    said
}

/// The most reasons of one worry. The page has all of them further down.
const MOST: usize = 20;

/// What nobody vouches for, by the reason.
fn by_nobody(facts: &Facts<'_>) -> Option<Markup> {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in facts.entries.iter().filter(|own| own.voucher.by == By::Nobody) {
        let name = format!("{} {}", entry.name, entry.version);
        reasons.entry(&entry.voucher.words).or_default().push(name.trim_end().to_owned());
    }
    let number: usize = reasons.values().map(Vec::len).sum();
    (number > 0).then(|| {
        html! {
            "For " a href="#vouchers" { strong { (count(number, "thing")) } } ", nobody vouches:"
            ul {
                @for (words, names) in reasons.iter().take(MOST) { li {
                    (shown::names(names)) ": " (shown::lines(words))
                } }
                @if reasons.len() > MOST { li {
                    a href="#vouchers" { (count(reasons.len() - MOST, "more reason")) }
                } }
            }
        }
    })
}

/// What is signed with a hash that is broken.
fn with_sha1(facts: &Facts<'_>) -> Option<Markup> {
    let things = facts.entries.iter().filter(|entry| entry.voucher.sha1).count();
    let metadata = facts.metadata.iter().filter(|one| one.voucher.sha1).count();
    let mut counted = Vec::new();
    if things > 0 {
        counted.push(count(things, "thing"));
    }
    if metadata > 0 {
        counted.push(format!("the metadata of {}", count(metadata, "repository")));
    }
    (!counted.is_empty()).then(|| {
        html! {
            "Signed with SHA-1, which is broken (two contents with one hash can be made): "
            a href="#vouchers" { strong { (counted.join(", and ")) } } "."
        }
    })
}

/// How many things a key or its subkeys vouch for, metadata among them.
fn by_subkeys(facts: &Facts<'_>, key: &Key) -> usize {
    let metadata = facts.metadata.iter().map(|one| &one.voucher);
    let all = facts.entries.iter().map(|entry| &entry.voucher).chain(metadata);
    all.filter(|own| own.primary.as_ref() == Some(&key.fingerprint)).count()
}

/// The keys that end soon, or have ended: first those that signed something, as `bundler audit`
/// has them, then others in the bundle.
fn ending(facts: &Facts<'_>) -> Option<Markup> {
    let is_told = |key: &Key| facts.ending.iter().any(|own| own.key.starts_with(&key.fingerprint));
    let others: Vec<&Key> = facts
        .keys
        .iter()
        .filter(|key| matches!(key.end, End::Soon(_) | End::Past(_)) && !is_told(key))
        .collect();
    let number = facts.ending.len() + others.len();
    (number > 0).then(|| {
        html! {
            a href="#vouchers" { strong { (count(number, "key")) } }
            (if number == 1 { " ends within a year, or has" } else { " end within a year, or have" })
            " ended. Then " code { "lock" } " and " code { "build" }
            " need the vendor's renewed key; this bundle can still be installed."
            ul {
                @for own in &facts.ending { li {
                    "Key " (shown::text(&own.key)) ", until " strong { (own.end) } ", vouches for "
                    (count(own.things, "thing")) "."
                } }
                @for key in others { li {
                    "Key " (key.fingerprint) " " strong { (key.end.words()) }
                    @match by_subkeys(facts, key) {
                        0 => " and vouches for nothing here.",
                        things => { ". A subkey of it vouches for " (count(things, "thing")) "." }
                    }
                } }
            }
        }
    })
}
