//! What changed since the bundle before, one by one.

use std::collections::BTreeMap;

use bundle_format::text::count;
use maud::{Markup, html};

use super::facts::Facts;
use super::patches;
use super::shown;
use crate::inspect::change::Change;
use crate::inspect::difference::Difference;
use crate::inspect::subject::{Kind, Subject};

/// What a change is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Checks,
    Packages,
    Images,
    Manifests,
    Files,
    Warnings,
    Settings,
    Hops,
}

impl Group {
    fn of(subject: &Subject) -> Self {
        match subject.kind {
            _ if subject.of_hop => Self::Hops,
            Kind::Check => Self::Checks,
            Kind::Package => Self::Packages,
            Kind::Image => Self::Images,
            Kind::Manifest => Self::Manifests,
            Kind::File => Self::Files,
            Kind::Warning => Self::Warnings,
            Kind::Release | Kind::Target | Kind::Repository | Kind::Cluster | Kind::Field => {
                Self::Settings
            }
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Checks => "Checks that are off",
            Self::Packages => "Packages",
            Self::Images => "Images",
            Self::Manifests => "Manifests",
            Self::Files => "Keys and other files",
            Self::Warnings => "Warnings",
            Self::Settings => "Releases, repositories and settings",
            Self::Hops => "Releases in between",
        }
    }

    /// One of these things.
    fn one(self) -> &'static str {
        match self {
            Self::Checks => "switched-off check",
            Self::Packages => "package",
            Self::Images => "image",
            Self::Manifests => "manifest",
            Self::Files => "file",
            Self::Warnings => "warning",
            Self::Settings => "setting",
            Self::Hops => "hop entry",
        }
    }
}

fn grouped(difference: &Difference) -> BTreeMap<Group, Vec<&Change>> {
    let mut groups: BTreeMap<Group, Vec<&Change>> = BTreeMap::new();
    for change in &difference.changes {
        groups.entry(Group::of(&change.subject)).or_default().push(change);
    }
    groups
}

/// Sentences: what is new, changed and gone, by kind.
pub(super) fn sums(difference: &Difference) -> Vec<String> {
    let groups = grouped(difference);
    let mut said = Vec::new();
    for (wanted, begin) in [("changed", "Changed"), ("new", "New"), ("gone", "Gone")] {
        let of = |changes: &[&Change]| changes.iter().filter(|own| word(own) == wanted).count();
        let counts: Vec<_> =
            groups.iter().map(|(group, changes)| (of(changes), group.one())).collect();
        if counts.iter().any(|(number, _)| *number > 0) {
            said.push(format!("{begin}: {}.", shown::listed(&counts)));
        }
    }
    said
}

/// The change of a release, such as `kubernetes`: before and now.
pub(super) fn of_release<'a>(difference: &'a Difference, what: &str) -> Option<(&'a str, &'a str)> {
    let change = difference.changes.iter().find(|change| change.subject.what == what)?;
    Some((change.from.as_deref()?, change.to.as_deref()?))
}

fn word(change: &Change) -> &'static str {
    match (&change.from, &change.to) {
        (None, _) => "new",
        (_, None) => "gone",
        _ => "changed",
    }
}

/// All changes, by kind.
pub(super) fn section(facts: &Facts<'_>) -> Markup {
    let Some((before, difference)) = &facts.before else { return html! {} };
    html! {
        section #changes aria-labelledby="changes-heading" {
            h2 #changes-heading { "What changed, one by one" }
            p {
                "Since the bundle " (shown::text(&before.lock().name)) " of Kubernetes "
                (before.lock().kubernetes) ", " (count(difference.changes.len(), "change")) "."
            }
            @for (group, changes) in grouped(difference) {
                h3 { (group.heading()) span.count { (count(changes.len(), "change")) } }
                table.changes {
                    thead { tr {
                        th scope="col" { "What" } th scope="col" { "Change" }
                        th scope="col" { "Before" } th scope="col" { "Now" }
                    } }
                    tbody { @for change in &changes { (row(change, group)) } }
                }
                @for change in &changes { (lines(change)) }
            }
        }
    }
}

fn row(change: &Change, group: Group) -> Markup {
    let prefix = match group {
        Group::Packages => "rpm ",
        Group::Images => "image ",
        Group::Manifests => "manifest ",
        Group::Checks => "disabled check ",
        _ => "",
    };
    let what = change.subject.what.strip_prefix(prefix).unwrap_or(&change.subject.what);
    let value = |value: &Option<String>| {
        html! {
            @match value { Some(text) => (shown::lines(text)), None => span.none { "not there" } }
        }
    };
    html! {
        tr {
            th scope="row" { (shown::text(what)) }
            td { span class=(format!("mark {}", word(change))) { (word(change)) } }
            td { (value(&change.from)) }
            td { (value(&change.to)) }
        }
    }
}

/// The changed lines of a text.
fn lines(change: &Change) -> Markup {
    html! {
        @if let Some(text) = &change.text {
            details {
                summary { "Changed lines of " (shown::text(&change.subject.what)) }
                (patches::diff(text))
            }
        }
        @if let Some(note) = &change.note {
            p.note { (shown::text(&change.subject.what)) ": " (note) "." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_by_kind() {
        let change = |kind, what: &str, from: Option<&str>, to: Option<&str>| {
            let [from, to] = [from, to].map(|text| text.map(str::to_owned));
            Change::new(Subject::new(kind, what), from, to)
        };
        let mut of_hop = change(Kind::Package, "hop 1.36 rpm el9-x86_64 a", Some("1"), None);
        of_hop.subject.of_hop = true;
        let changes = vec![
            change(Kind::Package, "rpm el9-x86_64 a", Some("1"), Some("2")),
            change(Kind::Package, "rpm el9-x86_64 b", None, Some("2")),
            change(Kind::Check, "disabled check gpgcheck el9-x86_64/a", None, Some("why")),
            change(Kind::Release, "kubernetes", Some("1.36.3"), Some("1.37.2")),
            of_hop,
        ];
        let difference = Difference { changes, delta: 0 };
        assert_eq!(of_release(&difference, "kubernetes"), Some(("1.36.3", "1.37.2")));
        assert_eq!(of_release(&difference, "containerd"), None);
        let sums = sums(&difference);
        let wanted = [
            "Changed: 1 package and 1 setting.",
            "New: 1 switched-off check and 1 package.",
            "Gone: 1 hop entry.",
        ];
        assert_eq!(sums, wanted);
    }
}
