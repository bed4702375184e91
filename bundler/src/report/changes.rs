//! What changed since the bundle before, one by one.

use std::collections::BTreeMap;

use bundle_format::lock::CheckName;
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
    Releases,
    Repositories,
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
            Kind::Release => Self::Releases,
            Kind::Repository => Self::Repositories,
            Kind::Target | Kind::Cluster | Kind::Field => Self::Settings,
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
            Self::Releases => "Releases",
            Self::Repositories => "Repositories",
            Self::Settings => "Targets and settings",
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
            Self::Releases => "release",
            Self::Repositories => "repository entry",
            Self::Settings => "setting",
            Self::Hops => "hop entry",
        }
    }

    /// Whether a sum names each of these things, because their number alone says nothing.
    fn is_named(self) -> bool {
        matches!(self, Self::Checks | Self::Releases | Self::Repositories | Self::Settings)
    }

    /// The kind in front of a name, which the heading says already.
    fn prefix(self) -> &'static str {
        match self {
            Self::Packages => "rpm ",
            Self::Images => "image ",
            Self::Manifests => "manifest ",
            Self::Checks => "disabled check ",
            _ => "",
        }
    }
}

/// How a thing changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    OtherVersion,
    OtherBytes,
    Changed,
    New,
    Gone,
}

impl How {
    /// All of them, in the order of the sums.
    const ALL: [Self; 5] =
        [Self::OtherBytes, Self::OtherVersion, Self::Changed, Self::New, Self::Gone];

    fn of(change: &Change) -> Self {
        match (&change.from, &change.to) {
            (None, _) => Self::New,
            (_, None) => Self::Gone,
            _ if change.other_content.is_some() => Self::OtherBytes,
            _ if change.other_version => Self::OtherVersion,
            _ => Self::Changed,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::OtherVersion => "other version",
            Self::OtherBytes => "same version, new bytes",
            Self::Changed => "changed",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }

    /// The beginning of a sum.
    fn heading(self) -> &'static str {
        match self {
            Self::OtherVersion => "Other version",
            Self::OtherBytes => "Same version, new bytes",
            Self::Changed => "Changed",
            Self::New => "New",
            Self::Gone => "Gone",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::OtherVersion | Self::Changed => "mark changed",
            Self::OtherBytes => "mark bytes",
            Self::New => "mark new",
            Self::Gone => "mark gone",
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
pub(super) fn sums(difference: &Difference) -> Vec<Markup> {
    let groups = grouped(difference);
    let mut said = Vec::new();
    for how in How::ALL {
        let of = |(group, changes): (&Group, &Vec<&Change>)| {
            let own = changes.iter().filter(|own| How::of(own) == how);
            let mut names: Vec<String> = own.map(|own| thing(own, *group)).collect();
            names.dedup();
            (!names.is_empty()).then(|| sum(*group, &names))
        };
        let parts: Vec<Markup> = groups.iter().filter_map(of).collect();
        if !parts.is_empty() {
            said.push(html! { (how.heading()) ": " (shown::joined(&parts)) "." });
        }
    }
    said
}

/// `2 packages`, or `1 release (kubernetes)`
fn sum(group: Group, names: &[String]) -> Markup {
    html! {
        (count(names.len(), group.one()))
        @if group.is_named() { " (" (shown::names(names)) ")" }
    }
}

/// The name of what changed, below the heading of its group. A check has plain words.
fn name(change: &Change, group: Group) -> String {
    let own = change.subject.what.strip_prefix(group.prefix()).unwrap_or(&change.subject.what);
    let in_words = |(key, of): (&str, &str)| {
        let check = CheckName::ALL.into_iter().find(|check| check.to_string() == key)?;
        Some(format!("{} for {of}", check.words()))
    };
    let check = own.split_once(' ').filter(|_| group == Group::Checks).and_then(in_words);
    check.unwrap_or_else(|| own.to_owned())
}

/// The thing that changed: a manifest has its text and its source, each with a row.
fn thing(change: &Change, group: Group) -> String {
    let name = name(change, group);
    match group {
        Group::Manifests => name.strip_suffix(" source").unwrap_or(&name).to_owned(),
        _ => name,
    }
}

/// The change of a release, such as `kubernetes`: before and now.
pub(super) fn of_release<'a>(difference: &'a Difference, what: &str) -> Option<(&'a str, &'a str)> {
    let change = difference.changes.iter().find(|change| change.subject.what == what)?;
    Some((change.from.as_deref()?, change.to.as_deref()?))
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
                (notes(&changes))
            }
        }
    }
}

fn row(change: &Change, group: Group) -> Markup {
    let how = How::of(change);
    let value = |value: &Option<String>| {
        html! {
            @match value { Some(text) => (shown::lines(text)), None => span.none { "not there" } }
        }
    };
    html! {
        tr {
            th scope="row" { (shown::text(&name(change, group))) }
            @match (group, how) {
                (Group::Checks, How::New) => td { span.mark.bytes { "switched off" } },
                (Group::Checks, How::Gone) => td { span.mark.new { "on again" } },
                _ => td { span class=(how.class()) { (how.words()) } },
            }
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
    }
}

/// The reasons why changed lines are not shown: one sentence a reason, with all names.
fn notes(changes: &[&Change]) -> Markup {
    let mut alike: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for change in changes {
        if let Some(note) = &change.note {
            alike.entry(note).or_default().push(&change.subject.what);
        }
    }
    html! { @for (note, names) in &alike { p.note { (shown::all_names(names)) ": " (note) "." } } }
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
        let mut other_version = change(Kind::Package, "rpm el9-x86_64 a", Some("1"), Some("2"));
        other_version.other_version = true;
        let mut other_bytes = change(Kind::Image, "image a", Some("1 12ab"), Some("1 34cd"));
        other_bytes.other_content = Some("a:1".to_owned());
        let revision = "revision of repository el9-x86_64 <os>";
        let changes = vec![
            other_version,
            other_bytes,
            change(Kind::Package, "rpm el9-x86_64 b", None, Some("2")),
            change(Kind::Check, "disabled check gpgcheck el9-x86_64/a", None, Some("why")),
            change(Kind::Release, "kubernetes", Some("1.36.3"), Some("1.37.2")),
            change(Kind::Repository, revision, Some("1"), Some("2")),
            of_hop,
        ];
        let difference = Difference { changes, delta: 0, of_artifacts: 0 };
        assert_eq!(of_release(&difference, "kubernetes"), Some(("1.36.3", "1.37.2")));
        assert_eq!(of_release(&difference, "containerd"), None);
        let sums: Vec<String> = sums(&difference).into_iter().map(Markup::into_string).collect();
        let wanted = [
            "Same version, new bytes: 1 image.",
            "Other version: 1 package.",
            "Changed: 1 release (kubernetes) and 1 repository entry (revision of repository \
             el9-x86_64 &lt;os&gt;).",
            "New: 1 switched-off check (signatures of packages (gpgcheck) for el9-x86_64/a) and 1 \
             package.",
            "Gone: 1 hop entry.",
        ];
        assert_eq!(sums, wanted);
    }
}
