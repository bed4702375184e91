//! Replaces spans of a text.

use std::collections::HashSet;

use serde_json::Value;

use crate::libyaml::node::{Data, Node, ScalarStyle, entries, scalar};

/// A span of a text, and its replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) to: String,
    /// The only value that may change. `None` if the span was not found by its path.
    pub(super) sets: Option<Setting>,
}

/// A value that a splice sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// Its path.
    pub(super) path: String,
    /// What it is then.
    pub(super) value: Value,
}

impl Setting {
    /// `to` is JSON, or a text as it is.
    fn new(path: &str, to: &str) -> Self {
        let value = serde_json::from_str(to).unwrap_or_else(|_| Value::from(to));
        Self { path: path.to_owned(), value }
    }
}

impl Splice {
    pub(super) fn from<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// The line on which it begins, from 1.
    pub(super) fn line(&self, text: &str) -> usize {
        1 + text.bytes().take(self.start).filter(|byte| *byte == b'\n').count()
    }
}

/// The splices without those that are there twice: a value with an anchor is met again at
/// each alias.
pub(super) fn once(splices: &[Splice]) -> Vec<&Splice> {
    let mut seen = HashSet::new();
    splices.iter().filter(|one| seen.insert((one.start, one.end, &one.to))).collect()
}

/// The text with all splices made. They must not overlap.
pub(super) fn apply(text: &str, splices: &[&Splice]) -> String {
    let mut ordered = splices.to_vec();
    ordered.sort_by_key(|splice| splice.start);
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for splice in ordered {
        result.push_str(text.get(done..splice.start).unwrap_or_default());
        result.push_str(&splice.to);
        done = splice.end;
    }
    result.push_str(text.get(done..).unwrap_or_default());
    result
}

/// Replaces a scalar that is on one line.
pub(super) fn replace(text: &str, node: &Node, to: &str, path: &str) -> Result<Splice, String> {
    let refused =
        || format!("{path} is not a plain value on one line, so a patch cannot change it");
    let (value, style) = scalar(node).ok_or_else(refused)?;
    let found = text.get(node.span.clone()).ok_or_else(refused)?;
    let is_alone = match style {
        ScalarStyle::Plain => found == value && !found.is_empty(),
        // An anchor or a tag stands before the quote.
        ScalarStyle::SingleQuoted => found.starts_with('\''),
        ScalarStyle::DoubleQuoted => found.starts_with('"'),
        _ => false,
    };
    if !is_alone || found.contains('\n') {
        return Err(refused());
    }
    let (start, end) = (node.span.start, node.span.end);
    let sets = Some(Setting::new(path, to));
    // A document of JSON stays one: what is no JSON gets the quotes of what was there.
    let is_word = serde_json::from_str::<Value>(to).is_err();
    let to = match style {
        ScalarStyle::DoubleQuoted if is_word => Value::from(to).to_string(),
        _ => to.to_owned(),
    };
    Ok(Splice { start, end, to, sets })
}

/// Inserts `key: value` before the first key of a block mapping.
pub(super) fn insert(
    text: &str,
    mapping: &Node,
    key: &str,
    value: &str,
    path: &str,
) -> Result<Splice, String> {
    let Data::Mapping(inner) = &mapping.data else {
        return Err(format!("{path}: there is no mapping to put it into"));
    };
    let first = inner.iter().next().map(|(key, _)| key.span.start);
    let (Some(start), Some(_)) = (first, entries(mapping).next()) else {
        return Err(format!("{path}: the mapping around it is empty"));
    };
    let line_start =
        text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |place| place + 1);
    let before = text.get(line_start..start).unwrap_or_default();
    if !before.chars().all(|c| c == ' ' || c == '-') {
        return Err(format!(
            "{path}: the mapping around it is written in {{…}} or with an anchor; write it in lines, or set one of its values"
        ));
    }
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let indent = " ".repeat(before.chars().count());
    let to = format!("{key}: {value}{ending}{indent}");
    Ok(Splice { start, end: start, to, sets: Some(Setting::new(path, value)) })
}
