//! A value at a path.

use super::splice::{self, Splice};
use super::{Set, target};
use crate::libyaml::node::{Node, entries, get, items};

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

pub(super) fn splices(documents: &[Node], text: &str, set: &Set) -> Result<Vec<Splice>, String> {
    let (path, object) = target::object(documents, &set.kind, set.namespace.as_deref(), &set.name)?;
    Ok(vec![at(text, object, &path, &set.path, &set.value.yaml())?])
}

/// Sets the value at `path` below `node`, which is itself at `base`.
pub(super) fn at(
    text: &str,
    node: &Node,
    base: &str,
    path: &str,
    value: &str,
) -> Result<Splice, String> {
    let steps = steps(path)?;
    let Some((last, leading)) = steps.split_last() else {
        return Err("its path is empty".to_owned());
    };
    let mut place = base.to_owned();
    let mut node = node;
    for step in leading {
        node = descend(node, step).ok_or_else(|| missing(node, &place, step))?;
        place = join(&place, step);
    }
    let whole = join(&place, last);
    match (descend(node, last), last) {
        (Some(value_node), _) => splice::replace(text, value_node, value, &whole),
        (None, Step::Key(key)) => splice::insert(text, node, key, value, &whole),
        (None, Step::Item(_)) => Err(missing(node, &place, last)),
    }
}

fn descend<'a>(node: &'a Node, step: &Step<'_>) -> Option<&'a Node> {
    match step {
        Step::Key(key) => get(node, key),
        Step::Item(index) => items(node).get(*index),
    }
}

fn join(place: &str, step: &Step<'_>) -> String {
    match step {
        Step::Key(key) => format!("{place}.{key}"),
        Step::Item(index) => format!("{place}[{index}]"),
    }
}

fn missing(node: &Node, place: &str, step: &Step<'_>) -> String {
    let keys: Vec<&str> = entries(node).map(|(key, _)| key).collect();
    let there = match keys.as_slice() {
        [] => format!("{} items", items(node).len()),
        keys => keys.join(", "),
    };
    format!("there is no {}; at {place} there are {there}", join("", step).trim_start_matches('.'))
}

/// Whether a text is a path that [`at`] follows.
pub(super) fn check_path(path: &str) -> Result<(), String> {
    match steps(path)?.as_slice() {
        [] => Err(malformed(path)),
        _ => Ok(()),
    }
}

fn malformed(path: &str) -> String {
    format!("`{path}` is no path: write one such as spec.template.spec.containers[0].args[2]")
}

/// `a.b[0]["c.d"]`.
fn steps(path: &str) -> Result<Vec<Step<'_>>, String> {
    let malformed = || malformed(path);
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(inner) = rest.strip_prefix("[\"") {
            let (key, after) = inner.split_once("\"]").ok_or_else(malformed)?;
            steps.push(Step::Key(key));
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']').ok_or_else(malformed)?;
            steps.push(Step::Item(index.parse().map_err(|_| malformed())?));
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            if key.is_empty() {
                return Err(malformed());
            }
            steps.push(Step::Key(key));
            rest = after;
        }
    }
    Ok(steps)
}
