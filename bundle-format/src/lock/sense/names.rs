//! Checks of names and sources, for every kind of artifact.

use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;

use url::Url;

use crate::problems::Problems;
use crate::text::brief;

/// Whether a spec could have this name. The spec checks names by the same rule.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c))
}

/// Each name occurs once.
pub(super) fn unique<T: Eq + Hash + Display>(
    what: &str,
    names: impl Iterator<Item = T>,
    problems: &mut Problems,
) {
    let mut seen = HashSet::new();
    for name in names {
        if let Some(name) = seen.replace(name) {
            problems.add(|| format!("{what} {} is listed twice", brief(&name.to_string())));
        }
    }
}

/// No source contains a password, because it would travel with the bundle.
pub(super) fn no_password(what: &impl Display, source: &str, problems: &mut Problems) {
    let url = Url::parse(source).ok().filter(Url::has_host);
    if url.is_some_and(|url| !url.username().is_empty() || url.password().is_some()) {
        let what = brief(&what.to_string());
        problems.add(|| format!("{what}: its source holds a user or a password"));
    }
}
