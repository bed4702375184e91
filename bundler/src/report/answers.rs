//! The first screen: what it is, what changed, who vouches, what worries. In sentences.

use bundle_format::text::count;
use indicatif::HumanBytes;
use maud::{Markup, html};

use super::changes;
use super::entry::Kind;
use super::facts::Facts;
use super::shown;
use super::signer;
use super::worries;
use crate::inspect::audit::By;

/// The four answers.
pub(super) fn section(facts: &Facts<'_>) -> Markup {
    let worries = worries::all(facts);
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
                h2 #worry {
                    "What is there to worry about?"
                    @if !worries.is_empty() {
                        " " span.count { (count(worries.len(), "worry")) }
                    }
                }
                @if worries.is_empty() {
                    p {
                        "Nothing that this program can see: a signature or who made the bundle \
                         vouches for each thing, all checks are on, and no key ends within a year."
                    }
                } @else {
                    ol { @for (number, one) in worries.iter().enumerate() {
                        li id=(format!("worry-{}", number + 1)) { (one) }
                    } }
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
    said.push(signer::maker(facts));
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
        (signer::before(facts, before.signed()))
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
    said.extend(changes::sums(difference));
    said.push(html! {
        (HumanBytes(difference.of_artifacts)) " of its packages, images and files are new"
        @if difference.of_artifacts < difference.delta {
            ", and " (HumanBytes(difference.delta - difference.of_artifacts))
            " of the lists that a build makes of them, such as the bill of materials"
        }
        "."
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
        signer::vouches(facts),
    ]
}
