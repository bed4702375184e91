//! The checks that are off, with their reasons, and the warnings of `bundler lock`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bundle_format::lock::{CheckName, DisabledCheck, Lock};
use bundle_format::text::count;
use maud::{Markup, html};

use super::facts::Facts;
use super::shown;

/// Both.
pub(super) fn section(facts: &Facts<'_>) -> Markup {
    let lock = facts.bundle.lock();
    html! {
        section #checks aria-labelledby="checks-heading" {
            h2 #checks-heading { "Checks that are off, and warnings" }
            h3 { "Checks that are off" span.count { (count(lock.disabled_checks.len(), "check")) } }
            @if lock.disabled_checks.is_empty() {
                p { "All checks were on when the bundle was made." }
            } @else {
                table.checks {
                    thead { tr {
                        th scope="col" { "Check" } th scope="col" { "For" }
                        th scope="col" { "What that means" } th scope="col" { "The reason given" }
                    } }
                    tbody { @for off in &lock.disabled_checks { tr {
                        th scope="row" { (off.check.words()) }
                        td { (shown::text(&off.subject)) }
                        td { (meaning(off, lock)) }
                        td { (shown::lines(&off.reason)) }
                    } } }
                }
            }
            h3 #warnings {
                "Warnings of " code { "bundler lock" }
                @if !lock.warnings.is_empty() {
                    span.count { (count(lock.warnings.len(), "warning")) }
                }
            }
            p {
                @if lock.warnings.is_empty() { code { "bundler lock" } " gave none. " }
                "It gives them when it chooses what the bundle holds. What this page found later is \
                 counted under " a href="#worry" { "What is there to worry about?" }
            }
            @if !lock.warnings.is_empty() { (warnings(&lock.warnings)) }
        }
    }
}

/// The first screen has at most this many sentences of warnings.
const MOST: usize = 20;

/// The warnings for the first screen, in their own words.
pub(super) fn warned(lock: &Lock) -> Option<Markup> {
    let (all, sentences) = (&lock.warnings, alike(&lock.warnings));
    (!all.is_empty()).then(|| {
        html! {
            a href="#warnings" { strong { (count(all.len(), "warning")) } }
            " of " code { "bundler lock" } ", which did not stop the bundle from being made:"
            ul {
                @for (words, names) in sentences.iter().take(MOST) { li {
                    @if !names.is_empty() { (shown::names(names)) ": " }
                    (shown::lines(words))
                } }
                @if sentences.len() > MOST { li {
                    a href="#warnings" { (sentences.len() - MOST) " more" }
                } }
            }
        }
    })
}

/// All warnings, with all names.
fn warnings(all: &[String]) -> Markup {
    html! {
        ul.warnings { @for (words, names) in &alike(all) { li {
            @if !names.is_empty() { (shown::all_names(names)) ": " }
            (shown::lines(words))
        } } }
    }
}

/// Warnings, each with the names of what it is of. Those that say the same of several things are
/// one.
fn alike(all: &[String]) -> Vec<(&str, Vec<&str>)> {
    let mut alike: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut places = HashMap::new();
    for warning in all {
        let (of, words) = match warning.split_once(": ") {
            Some((of, words)) => (Some(of), words),
            None => (None, warning.as_str()),
        };
        let place = *places.entry((of.is_some(), words)).or_insert(alike.len());
        match alike.get_mut(place) {
            Some((_, names)) => names.extend(of),
            None => alike.push((words, of.into_iter().collect())),
        }
    }
    alike
}

fn meaning(off: &DisabledCheck, lock: &Lock) -> Markup {
    let target = lock.targets.iter().find(|own| off.subject.starts_with(&format!("{}/", own.id)));
    let on_nodes = target.filter(|own| own.without_gpgcheck().next().is_some());
    html! {
        @match off.check {
            CheckName::Gpgcheck => {
                "Nobody checks whether a vendor signed its packages. "
                @if let Some(target) = on_nodes {
                    strong {
                        "Each node of " (shown::text(&target.id)) " installs all packages of the bundle \
                         with " code { "gpgcheck=0" }
                    }
                    ", also those of other repositories."
                }
            }
            CheckName::RepoGpgcheck => "Nobody checks whether the vendor signed the list of packages.",
            CheckName::ExpiredKeys => "A signature counts although its key has expired.",
            CheckName::PlainHttp => {
                "It may have come over a connection that anybody on the way can read and change."
            }
        }
    }
}

/// That nodes check no signature at all because of one repository, for each target.
pub(super) fn off_on_nodes(lock: &Lock) -> Vec<Markup> {
    let mut targets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for target in lock.targets.iter().chain(lock.hops.iter().flat_map(|hop| &hop.targets)) {
        let ids = target.without_gpgcheck().map(|own| own.id.as_str());
        targets.entry(&target.id).or_default().extend(ids);
    }
    targets.retain(|_, repositories| !repositories.is_empty());
    let packages = |target: &str, repositories: &BTreeSet<&str>| -> BTreeSet<String> {
        let all = lock.rpms.iter().chain(lock.hops.iter().flat_map(|hop| &hop.rpms));
        let own = all.filter(|rpm| rpm.target == target && repositories.contains(&*rpm.repository));
        own.map(|rpm| rpm.package.to_string()).collect()
    };
    let said = |(target, repositories): (&str, BTreeSet<&str>)| {
        let unchecked: Vec<String> = packages(target, &repositories).into_iter().collect();
        let names: Vec<&str> = repositories.into_iter().collect();
        html! {
            strong { "Nodes of " (shown::text(target)) " check no signature of any package" }
            " (" code { "gpgcheck=0" } "), because " a href="#checks" { "gpgcheck is off" } " for "
            (if names.len() == 1 { "the repository " } else { "the repositories " })
            (shown::names(&names))
            ", and on a node all packages are in one repository. "
            @if !unchecked.is_empty() {
                strong { "Nobody has checked the own signature of " (shown::names(&unchecked)) "." }
                " "
            }
            "Packages of other repositories were checked when the bundle was made, and again for \
             this page."
        }
    };
    targets.into_iter().map(said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_that_say_the_same_are_one_sentence_and_none_is_lost() {
        let all = ["target a: old", "lonely", "target <b>: old", "old", "lonely", "c: new"];
        let shown = warnings(&all.map(str::to_owned)).into_string();
        let wanted = "<ul class=\"warnings\"><li>target a and target &lt;b&gt;: old</li>\
                      <li>lonely</li><li>old</li><li>c: new</li></ul>";
        assert_eq!(shown, wanted);
    }
}
