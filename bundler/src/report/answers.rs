//! The first screen: what it is, what changed, who vouches, what worries. In sentences.

use bundle_format::text::count;
use indicatif::HumanBytes;
use maud::{Markup, html};

use super::changes;
use super::entry::Kind;
use super::facts::Facts;
use super::keys::End;
use super::shown;
use crate::inspect::audit::By;

/// The four answers.
pub(super) fn section(facts: &Facts<'_>) -> Markup {
    let worries = worries(facts);
    html! {
        div.answers {
            section aria-labelledby="what" {
                h2 #what { "What is it?" }
                @for one in what(facts) { p { (one) } }
            }
            section aria-labelledby="changed" {
                h2 #changed { "What changed?" }
                @for one in changed(facts) { p { (one) } }
            }
            section aria-labelledby="vouches" {
                h2 #vouches { "Who vouches for it?" }
                @for one in vouches(facts) { p { (one) } }
            }
            section.worries[!worries.is_empty()] aria-labelledby="worry" {
                h2 #worry { "What is there to worry about?" }
                @if worries.is_empty() {
                    p {
                        "Nothing that this program can see: a signature or who made the bundle \
                         vouches for each thing, all checks are on, and no key ends within a year."
                    }
                } @else {
                    ul { @for one in worries { li { (one) } } }
                }
            }
        }
    }
}

fn what(facts: &Facts<'_>) -> Vec<Markup> {
    let lock = facts.bundle.lock();
    let targets: Vec<&str> = lock.targets.iter().map(|target| target.id.as_str()).collect();
    let counts: Vec<(usize, &str)> =
        Kind::ALL.iter().map(|kind| (facts.count(*kind), kind.one())).collect();
    let mut said = vec![
        html! {
            "It installs " strong { "Kubernetes " (lock.kubernetes) }
            @if let Some(containerd) = &lock.containerd {
                " with containerd " (shown::text(containerd))
            }
            " on machines without internet: " (shown::text(&targets.join(", "))) "."
        },
        html! {
            "It has " (shown::listed(&counts)) ", in " (HumanBytes(facts.bundle.length()))
            ". A node installs nothing from any other place."
        },
    ];
    if !lock.hops.is_empty() {
        let hops: Vec<&str> = lock.hops.iter().map(|hop| hop.kubernetes.as_str()).collect();
        let own = facts.entries.iter().filter(|entry| entry.hop.is_some()).count();
        said.push(html! {
            "It also brings older clusters to that release, through " (hops.join(", "))
            ". For this it has " (count(own, "more thing")) "."
        });
    }
    said
}

fn changed(facts: &Facts<'_>) -> Vec<Markup> {
    let Some((before, difference)) = &facts.before else {
        return vec![html! {
            "This page was made without an older bundle, so it does not say. "
            code { "bundler report --against OLD" } " compares."
        }];
    };
    let lock = before.lock();
    let mut said = vec![html! {
        "The bundle before is " strong { (shown::text(&lock.name)) } " of Kubernetes "
        (lock.kubernetes) ", index " (shown::digest(before.index_digest())) ". "
        @match before.signed() {
            Some(by) => { "It is signed, by " (by) "." }
            None => { "Nobody has checked for this page who signed that one." }
        }
    }];
    if difference.changes.is_empty() {
        said.push(html! { "Nothing changed." });
        return said;
    }
    let releases = [("kubernetes", "Kubernetes"), ("containerd", "containerd")];
    for (what, name) in releases {
        if let Some((from, to)) = changes::of_release(difference, what) {
            said.push(html! {
                strong { (name) " goes from " (shown::text(from)) " to " (shown::text(to)) "." }
            });
        }
    }
    said.push(html! {
        @for one in changes::sums(difference) { (one) " " }
        (HumanBytes(difference.delta)) " of its bytes are new."
    });
    said.push(html! { a href="#changes" { "Each change, before and after" } });
    said
}

fn vouches(facts: &Facts<'_>) -> Vec<Markup> {
    let total = facts.entries.len();
    let vouched = facts.vouched();
    let of = |by| vouched.get(&by).copied().unwrap_or_default();
    let rest = [
        (By::SignedList, "is in a list that a vendor signed", "are in a list that a vendor signed"),
        (By::Maker, "was given by who made the bundle", "were given by who made the bundle"),
        (
            By::Connection,
            "came over TLS, and only that vouches",
            "came over TLS, and only that vouches",
        ),
    ];
    vec![
        html! {
            "For " strong { (of(By::Signature)) " of " (count(total, "thing")) } ", a vendor's key \
            vouches. The signatures were checked again for this page."
        },
        html! {
            @for (by, one, many) in rest {
                @if of(by) > 0 { (of(by)) " " (if of(by) == 1 { one } else { many }) ". " }
            }
            @match of(By::Nobody) {
                0 => { "There is nothing for which nobody vouches." }
                nobody => { strong { "For " (count(nobody, "thing")) ", nobody vouches." } }
            }
        },
        html! {
            @match facts.bundle.signed() {
                Some(by) => { "The bundle itself is signed, by " (by) "." }
                None => {
                    "Whether somebody has signed the bundle itself was not asked for: "
                    code { "--trusted-key FILE" } " checks it."
                }
            }
        },
    ]
}

/// The most names of one worry. The page has all of them further down.
const MOST_NAMES: usize = 10;

/// What has the same name and version as in the bundle before, and other bytes.
fn moved(facts: &Facts<'_>) -> Vec<Markup> {
    let changes = facts.before.iter().flat_map(|(_, difference)| &difference.changes);
    let names: Vec<&str> = changes.filter_map(|change| change.other_content.as_deref()).collect();
    let mut said: Vec<Markup> = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| {
            html! {
                a href="#changes" { strong { (shown::text(name)) } }
                " has other content than in the bundle before."
            }
        })
        .collect();
    if let Some(more) = names.len().checked_sub(MOST_NAMES).filter(|more| *more > 0) {
        said.push(html! {
            a href="#changes" { (count(more, "more thing")) } " with the same version too."
        });
    }
    said
}

/// What is not vouched for, or not by a signature that was checked against a key of the site's.
fn unproven(facts: &Facts<'_>) -> Vec<Markup> {
    let mut said = Vec::new();
    let vouched = facts.vouched();
    let of = |by| vouched.get(&by).copied().unwrap_or_default();
    let nobody = of(By::Nobody);
    if nobody > 0 {
        said.push(html! {
            "For " a href="#vouchers" { strong { (count(nobody, "thing")) } }
            ", nobody vouches: a check is off, or a signature does not count."
        });
    }
    let connection = of(By::Connection);
    if connection > 0 {
        said.push(html! {
            a href="#vouchers" { strong { (count(connection, "thing")) } }
            " came over TLS, and nothing else vouches."
        });
    }
    if facts.bundle.signed().is_none() {
        said.push(html! {
            "Nobody has checked for this page whether somebody signed the bundle: "
            code { "--trusted-key FILE" } " does."
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

fn worries(facts: &Facts<'_>) -> Vec<Markup> {
    let lock = facts.bundle.lock();
    let mut said = moved(facts);
    said.extend(unproven(facts));
    if !lock.disabled_checks.is_empty() {
        let number = lock.disabled_checks.len();
        said.push(html! {
            a href="#checks" { strong { (count(number, "check")) } }
            (if number == 1 { " is" } else { " are" }) " switched off, with a reason."
        });
    }
    for key in &facts.keys {
        if matches!(key.end, End::Soon(_) | End::Past(_)) {
            said.push(html! {
                "The vendor's key " code { (key.fingerprint) } " " strong { (key.end.words()) } "."
            });
        }
    }
    said.extend(with_sha1(facts));
    if !lock.warnings.is_empty() {
        said.push(html! {
            a href="#warnings" { strong { (count(lock.warnings.len(), "known warning")) } }
            ", which did not stop the bundle from being made."
        });
    }
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
