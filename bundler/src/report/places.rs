//! What is installed where, and where it came from.

use bundle_format::lock::{Lock, LockedRepository, LockedTarget};
use bundle_format::text::count;
use indicatif::HumanBytes;
use maud::{Markup, html};

use super::entry::{Entry, Kind};
use super::facts::Facts;
use super::shown;

/// What goes to which machines, and from which repositories.
pub(super) fn section(facts: &Facts<'_>) -> Markup {
    let lock = facts.bundle.lock();
    let sum = |kind: Kind, nodes: Option<&str>| {
        let own = facts.of_kind(kind).filter(|own| own.hop.is_none());
        let sizes =
            own.filter(|own| nodes.is_none_or(|nodes| own.nodes == nodes)).map(|own| own.size);
        HumanBytes(sizes.sum()).to_string()
    };
    let packages = |target: &LockedTarget| {
        let is_own = |own: &&Entry| own.hop.is_none() && own.nodes == target.id;
        facts.of_kind(Kind::Package).filter(is_own).count()
    };
    html! {
        section #places aria-labelledby="places-heading" {
            h2 #places-heading { "What is installed where" }
            table.places {
                thead { tr {
                    th scope="col" { "Where" } th scope="col" { "What" }
                    th scope="col" { "How" } th.number scope="col" { "Size" }
                } }
                tbody {
                    @for target in &lock.targets { tr {
                        th scope="row" { "Each node of " (shown::text(&target.id)) }
                        td { (count(packages(target), "package")) }
                        td {
                            "by the node's own dnf or yum, on top of "
                            (shown::text(&baseline(target)))
                        }
                        td.number { (sum(Kind::Package, Some(&target.id))) }
                    } }
                    tr {
                        th scope="row" { "containerd on each node" }
                        td { (count(facts.count(Kind::Image), "image")) }
                        td { "those that the node's role needs, by digest" }
                        td.number { (sum(Kind::Image, None)) }
                    }
                    tr {
                        th scope="row" { "The cluster" }
                        td { (count(facts.count(Kind::Manifest), "manifest")) }
                        td { "applied by the first master, in the bundle's order" }
                        td.number { (sum(Kind::Manifest, None)) }
                    }
                }
            }
            @for target in &lock.targets { (repositories(target)) }
            (settings(lock))
        }
    }
}

fn baseline(target: &LockedTarget) -> String {
    let systems: Vec<String> = target.systems.iter().map(ToString::to_string).collect();
    match (target.baseline.as_str(), systems.as_slice()) {
        ("none", []) => "nothing".to_owned(),
        (own, []) => format!("what such a node has ({own})"),
        (own, systems) => format!("what a node with {} has ({own})", systems.join(" or ")),
    }
}

fn repositories(target: &LockedTarget) -> Markup {
    html! {
        h3 { "Repositories of " (shown::text(&target.id)) }
        table.repositories {
            thead { tr {
                th scope="col" { "Repository" } th scope="col" { "Address" }
                th scope="col" { "Its list is signed by" } th scope="col" { "Its packages are signed by" }
            } }
            tbody { @for own in &target.repositories { (repository(own)) } }
        }
    }
}

fn repository(own: &LockedRepository) -> Markup {
    html! {
        tr {
            th scope="row" { (shown::text(&own.id)) }
            td { (shown::text(own.base_url.as_str())) }
            td { @match &own.repomd_signed_by {
                Some(key) => code { (shown::text(key)) },
                None => { strong { "not checked" } ", because " code { "repoGpgcheck" } " is off" }
            } }
            td {
                @if own.keys.is_empty() {
                    strong { "not checked" } ", because " code { "gpgcheck" } " is off"
                    @if own.repomd_signed_by.is_some() { "; the signed list has their digests" }
                }
                @for (number, key) in own.keys.iter().enumerate() {
                    @if number > 0 { br; }
                    code { (shown::text(key)) }
                }
            }
        }
    }
}

/// What the bundle sets in clusters, unless a site sets something else.
fn settings(lock: &Lock) -> Markup {
    html! {
        @if !lock.cluster.is_empty() {
            h3 { "Settings that the bundle brings, unless a site has its own" }
            table.settings {
                thead { tr { th scope="col" { "Key" } th scope="col" { "Value" } } }
                tbody { @for (key, value) in lock.cluster.entries() { tr {
                    th scope="row" { code { (key) } }
                    td { (shown::text(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))) }
                } } }
            }
        }
    }
}
