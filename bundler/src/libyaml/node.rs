//! A manifest's values, each with its place.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

pub use super::scalar::{Scalar, ScalarStyle};

/// A value, and its place in its file.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its content.
    pub data: Data,
    /// Its bytes in the file. A block collection may include the spaces and
    /// comments after it. An anchor or a tag before it is included.
    pub span: Range<usize>,
    /// The line on which it begins, from 1.
    pub line: usize,
}

/// The content of a value.
#[derive(Clone, Debug)]
pub enum Data {
    /// A text, a number, a word such as `true`, or nothing.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and their values, in the file's order. Of equal keys, only the last
    /// is kept.
    Mapping(Vec<(Node, Node)>),
}

/// The text of a scalar, with its style. `None` for a collection or an empty scalar.
pub fn scalar(node: &Node) -> Option<(&str, ScalarStyle)> {
    match &node.data {
        Data::Scalar(scalar) => Some((&scalar.text, scalar.style)),
        _ => None,
    }
}

/// The entries of a mapping whose keys are scalars.
pub fn entries(node: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let entries = match &node.data {
        Data::Mapping(entries) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().filter_map(|(key, value)| Some((scalar(key)?.0, value)))
}

/// The entries, with those that the merge key `<<` adds, as kubectl reads them. If a
/// key occurs twice, the later one wins, and merged entries are where `<<` is. Of
/// several sources, the first comes last.
pub fn merged(node: &Node) -> Vec<(&str, &Node)> {
    let Data::Mapping(own) = &node.data else { return Vec::new() };
    if !own.iter().any(|(key, _)| is_merge(key)) {
        return entries(node).collect();
    }
    let mut all = Vec::new();
    unite(own, &mut all);
    let mut seen = HashSet::new();
    let mut last: Vec<(&str, &Node)> = Vec::new();
    for (key, value) in all.into_iter().rev() {
        let Data::Scalar(scalar) = &key.data else { continue };
        if scalar.name().is_none_or(|(name, _)| seen.insert(name)) {
            last.push((&scalar.text, value));
        }
    }
    last.reverse();
    last
}

/// Adds the entries and those that they merge, the one that counts last.
fn unite<'a>(entries: &'a [(Node, Node)], all: &mut Vec<(&'a Node, &'a Node)>) {
    for (key, value) in entries {
        match &value.data {
            Data::Mapping(source) if is_merge(key) => unite(source, all),
            Data::Sequence(sources) if is_merge(key) => {
                for source in sources.iter().rev() {
                    if let Data::Mapping(source) = &source.data {
                        unite(source, all);
                    }
                }
            }
            _ if is_merge(key) => {}
            _ => all.push((key, value)),
        }
    }
}

/// Whether a key is `<<` without quotes.
pub fn is_merge(key: &Node) -> bool {
    match &key.data {
        Data::Scalar(scalar) => {
            let tag = scalar.tag.as_deref();
            scalar.text == "<<" && (scalar.implicit || tag == Some("tag:yaml.org,2002:merge"))
        }
        _ => false,
    }
}

/// Whether the node is `{{ … }}`, a template without the quotes that would make it a
/// text.
pub fn is_template(node: &Node) -> bool {
    match &node.data {
        Data::Mapping(entries) => {
            entries.iter().any(|(key, _)| matches!(key.data, Data::Mapping(_)))
        }
        _ => false,
    }
}

/// The items of a sequence.
pub fn items(node: &Node) -> &[Node] {
    match &node.data {
        Data::Sequence(items) => items,
        _ => &[],
    }
}

/// The value of `key` in a mapping.
pub fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    entries(node).find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// The scalar that is the value of `key` in a mapping.
pub fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    get(node, key).and_then(scalar).map(|(text, _)| text)
}

/// Keeps only the last of the entries with equal keys, as kubectl does. Gives the others.
pub(super) fn last_of_each(entries: &mut Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    let mut seen = HashSet::new();
    let all = entries.iter().enumerate().rev();
    let doubled: HashSet<usize> = all
        .filter(|(_, (key, _))| key_name(key).is_some_and(|name| !seen.insert(name)))
        .map(|(index, _)| index)
        .collect();
    if doubled.is_empty() {
        return Vec::new();
    }
    let mut replaced = Vec::new();
    for (index, entry) in std::mem::take(entries).into_iter().enumerate() {
        match doubled.contains(&index) {
            true => replaced.push(entry),
            false => entries.push(entry),
        }
    }
    replaced
}

/// What a key replaces an equal one before it by: `y` and `'y'` are two keys.
pub(super) fn key_name(key: &Node) -> Option<(Cow<'_, str>, bool)> {
    match &key.data {
        Data::Scalar(scalar) if !is_merge(key) => scalar.name(),
        _ => None,
    }
}
