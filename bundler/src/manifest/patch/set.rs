//! The patch that sets the value at a path.

use super::splice::{self, Splice};
use super::target;
use crate::libyaml::node::{Node, entries, get, items};
use crate::spec::patch::Set;
use crate::spec::value_path::{Step, ValuePath};

pub(super) fn splices(documents: &[Node], text: &str, set: &Set) -> Result<Vec<Splice>, String> {
    let (path, object) = target::object(documents, &set.kind, set.namespace.as_deref(), &set.name)?;
    Ok(vec![at(text, object, &path, &set.path, &set.value.yaml())?])
}

/// Sets the value at `path` below `node`, whose own path is `base`.
pub(super) fn at(
    text: &str,
    node: &Node,
    base: &str,
    path: &ValuePath,
    value: &str,
) -> Result<Splice, String> {
    let mut place = base.to_owned();
    let mut node = node;
    for step in &path.above {
        node = descend(node, step).ok_or_else(|| missing(node, &place, step))?;
        place = join(&place, step);
    }
    let last = &path.last;
    let whole = join(&place, last);
    match (descend(node, last), last) {
        (Some(value_node), _) => splice::replace(text, value_node, value, &whole),
        (None, Step::Key(key)) => splice::insert(text, node, key, value, &whole),
        (None, Step::Item(_)) => Err(missing(node, &place, last)),
    }
}

fn descend<'a>(node: &'a Node, step: &Step) -> Option<&'a Node> {
    match step {
        Step::Key(key) => get(node, key),
        Step::Item(index) => items(node).get(*index),
    }
}

fn join(place: &str, step: &Step) -> String {
    match step {
        Step::Key(key) => format!("{place}.{key}"),
        Step::Item(index) => format!("{place}[{index}]"),
    }
}

fn missing(node: &Node, place: &str, step: &Step) -> String {
    let keys: Vec<&str> = entries(node).map(|(key, _)| key).collect();
    let there = match keys.as_slice() {
        [] => format!("{} items", items(node).len()),
        keys => keys.join(", "),
    };
    format!("there is no {}; at {place} there are {there}", join("", step).trim_start_matches('.'))
}
