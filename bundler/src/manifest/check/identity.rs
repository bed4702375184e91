//! Checks the metadata that identifies an object: names, labels, and fields that only
//! a cluster writes.

use super::{builtin, stray};
use crate::manifest::object::Object;

/// Kinds with rules of their own. Their names are not checked.
const OTHERS: [&str; 5] = ["APIService", "CSIDriver", "ClusterTrustBundle", "Event", "IPAddress"];
const RBAC: &str = "rbac.authorization.k8s.io";

/// Everything in the object's metadata that a cluster refuses.
pub(super) fn problems(object: &Object) -> Vec<String> {
    let mut problems: Vec<String> = name(object).into_iter().collect();
    if let Some(namespace) = object.namespace().filter(|name| !is_label(name)) {
        problems.push(format!(
            "its namespace `{namespace}` is not a name that Kubernetes accepts: \
             {LABEL}"
        ));
    }
    // An empty value is not a set value.
    let is_set = |key: &&&str| {
        let value = object.json.get("metadata").and_then(|metadata| metadata.get(**key));
        value.is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
    };
    let written: Vec<&str> =
        ["resourceVersion", "uid"].iter().filter(|key| is_set(key)).copied().collect();
    if !written.is_empty() {
        problems.push(format!(
            "it has metadata.{}, like an object that was read from a cluster, and another cluster \
             refuses that: take it out",
            written.join(" and metadata.")
        ));
    }
    problems
}

fn name(object: &Object) -> Option<String> {
    let (name, kind) = (object.name(), object.kind());
    let is_template = name.contains("{{");
    if name.is_empty() || is_template || !builtin::is_group(object.group()) {
        return None;
    }
    let (is_right, rule) = match (object.group(), kind) {
        (RBAC, _) => (is_segment(name), "write one without `/` and `%`"),
        (_, kind) if OTHERS.contains(&kind) => return None,
        ("", "Service") => (
            is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase()),
            "write up to 63 small letters, digits and `-`, a letter first",
        ),
        ("", "Namespace") => (is_label(name), LABEL),
        _ => (is_subdomain(name), "write small letters, digits, `-` and `.`, up to 253 of them"),
    };
    (!is_right).then(|| {
        format!(
            "`{name}` is not a name that Kubernetes accepts for a {kind}: \
             {rule}"
        )
    })
}

const LABEL: &str = "write up to 63 small letters, digits and `-`";

/// What is wrong with the key or the value of a label.
pub(super) fn label(key: &str, value: &str) -> Option<String> {
    if value.contains("{{") {
        return Some(format!("is a template: {}", stray::RENDER));
    }
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if !is_word(name) || prefix.is_some_and(|prefix| !is_subdomain(prefix)) {
        return Some(
            "is not a label, because of its key: write one such as \
             `app.kubernetes.io/name`"
                .into(),
        );
    }
    (!value.is_empty() && !is_word(value)).then(|| {
        format!(
            "is `{value}`, which is not a label's value: write up to 63 letters, digits, `-`, `_` \
             and `.`, a letter or digit first and last"
        )
    })
}

fn is_word(text: &str) -> bool {
    let ends = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    text.len() <= 63
        && ends(text)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_part)
}

fn is_part(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn is_segment(text: &str) -> bool {
    ![".", ".."].contains(&text) && !text.contains(['/', '%'])
}
