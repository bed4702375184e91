//! The meaning of a manifest's values: the JSON that kubectl makes of them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::node::{Data, Node, is_merge};
use super::scalar::{Scalar, key_name, short};

/// A value that JSON cannot express.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{reason}")]
pub struct ValueError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// The JSON of a node.
pub fn json(node: &Node) -> Result<Value, ValueError> {
    Ok(match &node.data {
        Data::Scalar(scalar) => scalar.meant().map_err(|reason| fail(node, reason))?,
        Data::Sequence(items) => Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Data::Mapping(_) => {
            let mut filled = Filled::default();
            filled.add(node)?;
            Value::Object(filled.map)
        }
    })
}

/// Checks an entry that a later one with the same text as its key replaces. kubectl reads
/// it all the same, so it can be what kubectl refuses.
pub(super) fn replaced(key: &Node, value: &Node, later: &Node) -> Result<(), ValueError> {
    decodes(value)?;
    let (name, meant) = named(key)?;
    match named(later)?.1 == meant {
        true => Ok(()),
        false => Err(at_random(later, &name)),
    }
}

/// Whether kubectl's reader takes a value, which may then be one that JSON cannot express.
fn decodes(node: &Node) -> Result<(), ValueError> {
    match &node.data {
        Data::Scalar(Scalar { tag: None, .. }) => Ok(()),
        Data::Scalar(scalar) => match scalar.tag.as_deref() {
            Some("tag:yaml.org,2002:float") if scalar.is_infinite() => Ok(()),
            _ => scalar.meant().map(drop).map_err(|reason| fail(node, reason)),
        },
        Data::Sequence(items) => items.iter().try_for_each(decodes),
        Data::Mapping(entries) => entries.iter().try_for_each(|(key, value)| {
            match &key.data {
                _ if is_merge(key) => drop(sources(value)?),
                Data::Scalar(_) => decodes(key)?,
                _ => drop(named(key)?),
            }
            decodes(value)
        }),
    }
}

fn fail(node: &Node, reason: String) -> ValueError {
    ValueError { line: node.line, reason }
}

fn at_random(key: &Node, name: &str) -> ValueError {
    let name = short(name);
    fail(key, format!("`{name}` is a key twice, written in two ways: kubectl takes any of them"))
}

/// The entries of a mapping, each with what its key means to kubectl.
#[derive(Default)]
struct Filled {
    map: Map<String, Value>,
    meant: HashMap<String, Value>,
}

impl Filled {
    /// Adds a mapping's entries. A later entry replaces an earlier one with the same key.
    /// Merged entries take the place of `<<`.
    fn add(&mut self, node: &Node) -> Result<(), ValueError> {
        let Data::Mapping(entries) = &node.data else { return Err(not_merged(node)) };
        for (key, value) in entries {
            if is_merge(key) {
                sources(value)?.into_iter().try_for_each(|source| self.add(source))?;
                continue;
            }
            let (name, meant) = named(key)?;
            // `1` and `"1"` are two keys until they are the names of JSON.
            if self.meant.insert(name.clone(), meant.clone()).is_some_and(|other| other != meant) {
                return Err(at_random(key, &name));
            }
            self.map.insert(name, json(value)?);
        }
        Ok(())
    }
}

/// The mappings that `<<` merges, in the order in which kubectl does.
fn sources(value: &Node) -> Result<Vec<&Node>, ValueError> {
    let sources: Vec<&Node> = match &value.data {
        Data::Sequence(sources) => sources.iter().rev().collect(),
        _ => vec![value],
    };
    let other = sources.iter().find(|source| !matches!(source.data, Data::Mapping(_)));
    other.map_or(Ok(()), |other| Err(not_merged(other)))?;
    Ok(sources)
}

fn not_merged(node: &Node) -> ValueError {
    fail(node, "`<<` merges a value that is not a mapping".to_owned())
}

/// A key as a text, because JSON has no other keys, and what it means.
fn named(key: &Node) -> Result<(String, Value), ValueError> {
    let refused = || fail(key, "a key that is a mapping, a list or nothing".to_owned());
    match &key.data {
        Data::Scalar(scalar) => {
            let meant = scalar.meant().map_err(|reason| fail(key, reason))?;
            let name = key_name(&meant).ok_or_else(refused)?;
            Ok((name, meant))
        }
        _ => Err(refused()),
    }
}
