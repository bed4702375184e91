//! Finds the object that a patch is about.

use std::collections::BTreeMap;

use serde_json::Value;

use super::splice::{Setting, Splice};
use crate::libyaml::node::{Node, get, items, text};
use crate::libyaml::value;

/// The objects of a manifest, also those in a `List`, each with its path.
pub(super) fn objects(documents: &[Node]) -> Vec<(String, &Node)> {
    let mut objects = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        objects.push((format!("[{index}]"), document));
        let list = get(document, "items").map(items).unwrap_or_default();
        objects.extend(
            list.iter().enumerate().map(|(item, node)| (format!("[{index}].items[{item}]"), node)),
        );
    }
    objects
}

/// The object of this kind and name.
pub(super) fn object<'a>(
    documents: &'a [Node],
    kind: &str,
    namespace: Option<&str>,
    name: &str,
) -> Result<(String, &'a Node), String> {
    let of_kind: Vec<_> = objects(documents)
        .into_iter()
        .filter(|(_, node)| text(node, "kind") == Some(kind))
        .collect();
    let part = |node: &'a Node, key| get(node, "metadata").and_then(|metadata| text(metadata, key));
    let found = of_kind.iter().find(|(_, node)| {
        part(node, "name") == Some(name)
            && namespace.is_none_or(|wanted| part(node, "namespace") == Some(wanted))
    });
    found.cloned().ok_or_else(|| {
        // The namespace is shown if one was asked for.
        let full = |namespace: Option<&str>, name: &str| match namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        };
        let names: Vec<String> = of_kind
            .iter()
            .filter_map(|(_, node)| {
                let own = namespace.and_then(|_| part(node, "namespace"));
                Some(full(own, part(node, "name")?))
            })
            .collect();
        match names.as_slice() {
            [] => format!("the manifest has no {kind}"),
            names => format!(
                "the manifest has no {kind} `{}`; it has {}",
                full(namespace, name),
                names.join(", ")
            ),
        }
    })
}

/// The values of a manifest by their paths, as kubectl reads them.
fn leaves(documents: &[Node]) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let json = |document| value::json(document).unwrap_or_default();
    let numbered = documents.iter().map(json).enumerate();
    let mut left: Vec<_> = numbered.map(|(index, one)| (format!("[{index}]"), one)).collect();
    while let Some((path, value)) = left.pop() {
        match value {
            Value::Object(map) => {
                left.extend(map.into_iter().map(|(key, one)| (format!("{path}.{key}"), one)));
            }
            Value::Array(items) => {
                let items = items.into_iter().enumerate();
                left.extend(items.map(|(index, one)| (format!("{path}[{index}]"), one)));
            }
            leaf => drop(found.insert(path, leaf)),
        }
    }
    found
}

/// Checks that the values of the splices are set, and that no other has changed. If a
/// splice does not say which value it sets, its kind of patch has checked that.
pub(super) fn check(before: &[Node], after: &[Node], splices: &[Splice]) -> Result<(), String> {
    let settings: Option<Vec<&Setting>> =
        splices.iter().map(|splice| splice.sets.as_ref()).collect();
    let Some(settings) = settings else { return Ok(()) };
    let (before, after) = (leaves(before), leaves(after));
    let mut changed =
        before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path));
    if !changed.all(|path| settings.iter().any(|setting| setting.path == *path)) {
        let reason = "it would also change other values, for example where an anchor is used in \
                      several places";
        return Err(reason.to_owned());
    }
    match settings.iter().find(|setting| after.get(&setting.path) != Some(&setting.value)) {
        None => Ok(()),
        Some(Setting { path, .. }) => Err(format!(
            "it would have no effect at {path}, which a merge (`<<`) or another key sets; change \
             it there"
        )),
    }
}
