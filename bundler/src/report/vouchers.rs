//! Who vouches, summed up; the vendors' keys; and the licences.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bundle_format::text::count;
use maud::{Markup, html};

use super::entry::{Entry, Kind};
use super::facts::Facts;
use super::shown;
use crate::inspect::audit::{By, Voucher};

/// A voucher, in a word.
pub(super) fn badge(by: By) -> Markup {
    let (class, word) = match by {
        By::Nobody => ("by nobody", "nobody"),
        By::Connection => ("by connection", "the connection"),
        By::Maker => ("by maker", "the maker"),
        By::SignedList => ("by list", "a signed list"),
        By::Signature => ("by signature", "a vendor's key"),
    };
    html! { span class=(class) { (word) } }
}

fn meaning(by: By) -> &'static str {
    match by {
        By::Nobody => "Nothing covers the thing. Its words say why.",
        By::Connection => {
            "It came over TLS, and its digest was fixed when the lock was made. Nobody signed it."
        }
        By::Maker => "Who made the bundle gave it. Its words say how.",
        By::SignedList => {
            "A vendor signed a list that has its digest. That was checked when the lock was made, \
             and not again: whoever edited the lock since could name another package."
        }
        By::Signature => "A vendor signed it. That was checked again for this page.",
    }
}

/// The sums, then each voucher, then each key.
pub(super) fn section(facts: &Facts<'_>) -> Markup {
    let mut each: BTreeMap<&Voucher, Vec<&Entry>> = BTreeMap::new();
    for entry in &facts.entries {
        each.entry(&entry.voucher).or_default().push(entry);
    }
    html! {
        section #vouchers aria-labelledby="vouchers-heading" {
            h2 #vouchers-heading { "Who vouches" }
            p { "From the weakest to the strongest. Each thing counts once, with the best that \
                 there is for it." }
            table.sums {
                thead { tr {
                    th scope="col" { "Voucher" } th scope="col" { "What that means" }
                    th.number scope="col" { "Things" }
                } }
                tbody { @for (by, number) in facts.vouched() { tr {
                    th scope="row" { (badge(by)) } td { (meaning(by)) } td.number { (number) }
                } } }
            }
            h3 { "Each voucher, in its words" }
            table.each {
                thead { tr {
                    th scope="col" { "Voucher" } th scope="col" { "Words" }
                    th scope="col" { "For" }
                } }
                tbody { @for (voucher, entries) in &each { tr {
                    th scope="row" { (badge(voucher.by)) }
                    td { (shown::lines(&voucher.words)) }
                    td { (kinds(entries)) }
                } } }
            }
            (metadata(facts))
            h3 { "Keys of vendors in the bundle" span.count { (count(facts.keys.len(), "key")) } }
            @if facts.keys.is_empty() { p { "There is none." } } @else {
                table.keys {
                    thead { tr {
                        th scope="col" { "Fingerprint" } th scope="col" { "File" }
                        th scope="col" { "End" }
                    } }
                    tbody { @for key in &facts.keys { tr {
                        th scope="row" { code { (key.fingerprint) } }
                        td { (shown::text(&key.file)) }
                        td { (key.end.words()) }
                    } } }
                }
            }
        }
    }
}

/// Who signed the metadata of each repository.
fn metadata(facts: &Facts<'_>) -> Markup {
    html! {
        h3 { "Metadata of the repositories" }
        p { "Who signed each list of packages. `bundler lock` checked that, and the lists are \
             not in the bundle." }
        table.metadata {
            thead { tr {
                th scope="col" { "Metadata" } th scope="col" { "Voucher" }
                th scope="col" { "Words" }
            } }
            tbody { @for one in &facts.metadata { tr {
                th scope="row" { (shown::text(&one.what)) }
                td { (badge(one.voucher.by)) }
                td { (shown::lines(&one.voucher.words)) }
            } } }
        }
    }
}

/// How many things of each kind.
fn kinds(entries: &[&Entry]) -> String {
    let of = |kind| entries.iter().filter(|entry| entry.kind == kind).count();
    let words: Vec<String> = Kind::ALL
        .iter()
        .map(|kind| (of(*kind), kind.one()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, one)| count(number, one))
        .collect();
    words.join(", ")
}

/// The licences, the most frequent first.
pub(super) fn licences(facts: &Facts<'_>) -> Markup {
    let mut found: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    let mut silent = Vec::new();
    for entry in facts.entries.iter().filter(|own| matches!(own.kind, Kind::Package | Kind::Image))
    {
        match &entry.licence {
            Some(licence) => found.entry(licence).or_default().push(entry),
            None => silent.push(entry),
        }
    }
    let mut sorted: Vec<(&str, Vec<&Entry>)> = found.into_iter().collect();
    sorted.sort_by_key(|(_, entries)| Reverse(entries.len()));
    html! {
        section #licences aria-labelledby="licences-heading" {
            h2 #licences-heading { "Licences" }
            p {
                "In the words of each package's own header, and of each image's own label. Many \
                 images have no label: their makers publish the licence elsewhere."
            }
            table.licences {
                thead { tr { th scope="col" { "Licence" } th.number scope="col" { "Things" } } }
                tbody {
                    @for (licence, entries) in &sorted { tr {
                        th scope="row" { (shown::text(licence)) }
                        td.number { (kinds(entries)) }
                    } }
                    @if !silent.is_empty() { tr {
                        th scope="row" { em { "Says nothing" } }
                        td.number { (kinds(&silent)) }
                    } }
                }
            }
        }
    }
}
