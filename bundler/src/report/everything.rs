//! Everything in the bundle, by kind, with a search.

use bundle_format::text::count;
use indicatif::HumanBytes;
use maud::{Markup, html};

use super::entry::{Entry, Kind};
use super::facts::Facts;
use super::{shown, vouchers};

/// The rows of one table. A browser lays out only those of a long list that can be seen, and
/// it can leave out whole tables, not rows.
const PART: usize = 100;

/// The search, and a table for each kind and each group of nodes.
pub(super) fn section(facts: &Facts<'_>) -> Markup {
    html! {
        section #everything aria-labelledby="everything-heading" {
            h2 #everything-heading { "Everything in it" }
            search #search hidden {
                label for="words" { "Search by name, version, licence, voucher, address or digest" }
                input #words type="search" autocomplete="off" spellcheck="false";
                p #found role="status" { (count(facts.entries.len(), "thing")) }
            }
            @for kind in Kind::ALL { (of_kind(facts, kind)) }
        }
    }
}

fn of_kind(facts: &Facts<'_>, kind: Kind) -> Markup {
    let entries: Vec<&Entry> = facts.of_kind(kind).collect();
    // Images and files differ in their nodes one by one.
    let is_alike =
        |a: &&Entry, b: &&Entry| a.hop == b.hop && (kind != Kind::Package || a.nodes == b.nodes);
    html! { @for group in entries.chunk_by(is_alike) { (table(kind, group)) } }
}

fn table(kind: Kind, entries: &[&Entry]) -> Markup {
    let Some(first) = entries.first() else { return html! {} };
    let bytes: u64 = entries.iter().map(|entry| entry.size).sum();
    html! {
        section.group {
            h3 {
                (heading(kind))
                @if kind == Kind::Package { " for " (shown::text(&first.nodes)) }
                @if let Some(hop) = &first.hop { ", only on the way through Kubernetes " (hop) }
                span.count { (count(entries.len(), kind.one())) ", " (HumanBytes(bytes)) }
            }
            @for part in entries.chunks(PART) {
                div.part[entries.len() > PART] { table.entries {
                    thead { tr {
                        th scope="col" { "Name, reason, source, digest" }
                        th.number scope="col" { "Size" }
                        th scope="col" { "Licence" } th scope="col" { "Who vouches" }
                    } }
                    tbody { @for entry in part { (row(entry)) } }
                } }
            }
        }
    }
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::Package => "Packages",
        Kind::Image => "Images",
        Kind::Manifest => "Manifests",
        Kind::Installer => "Installers",
        Kind::Key => "Keys",
    }
}

fn row(entry: &Entry) -> Markup {
    html! {
        tr id=(entry.id) {
            th scope="row" {
                a href=(format!("#{}", entry.id)) { (shown::text(&entry.name)) }
                " " span.version { (shown::text(&entry.version)) }
                @if entry.kind == Kind::Image { " " small { (shown::text(&entry.nodes)) } }
                small { (shown::text(&entry.why)) }
                small { "from " (shown::text(&entry.source)) }
                small { code { (entry.digest) } }
            }
            td { (HumanBytes(entry.size)) }
            td { @match &entry.licence { Some(own) => (shown::text(own)), None => "\u{2013}" } }
            td { (vouchers::badge(entry.voucher.by)) small { (shown::lines(&entry.voucher.words)) } }
        }
    }
}
