//! A manifest's values, each with its place.

use std::collections::HashSet;
use std::ops::Range;

pub use libyaml_safer::ScalarStyle;

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

/// A scalar as it is written. The module `value` has its meaning.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// Its text, without quotes and with escapes resolved.
    pub text: String,
    /// How it is written.
    pub style: ScalarStyle,
    /// The tag in front of it: `tag:yaml.org,2002:str`.
    pub tag: Option<String>,
    /// Whether the text decides the type: it has no quotes, or the tag `!`.
    pub implicit: bool,
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
    let mut all: Vec<(&str, &Node)> = Vec::new();
    for (key, value) in own {
        match &value.data {
            Data::Sequence(sources) if is_merge(key) => {
                all.extend(sources.iter().rev().flat_map(merged));
            }
            _ if is_merge(key) => all.extend(merged(value)),
            _ => all.extend(scalar(key).map(|(key, _)| (key, value))),
        }
    }
    let mut seen = HashSet::new();
    let mut last: Vec<_> = all.into_iter().rev().filter(|(key, _)| seen.insert(*key)).collect();
    last.reverse();
    last
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
    // For few keys, comparing is as fast as hashing.
    let is_double = |one: &Node, rest: &[(Node, Node)]| {
        rest.iter().any(|(key, _)| key_text(key).is_some() && key_text(key) == key_text(one))
    };
    let doubled: HashSet<usize> = if entries.len() < 16 {
        let all = entries.iter().enumerate();
        all.filter(|(index, (key, _))| is_double(key, entries.get(index + 1..).unwrap_or_default()))
            .map(|(index, _)| index)
            .collect()
    } else {
        let mut seen = HashSet::new();
        let all = entries.iter().enumerate().rev();
        all.filter(|(_, (key, _))| key_text(key).is_some_and(|text| !seen.insert(text)))
            .map(|(index, _)| index)
            .collect()
    };
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

/// The text of a key that replaces an equal one before it.
pub(super) fn key_text(key: &Node) -> Option<&str> {
    if is_merge(key) { None } else { scalar(key).map(|(text, _)| text) }
}
