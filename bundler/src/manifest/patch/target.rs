//! Finds the object that a patch is about.

use std::collections::BTreeMap;

use super::splice::Splice;
use crate::libyaml::node::{Data, Node, entries, get, items, scalar, text};

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

/// The values of a manifest by their paths.
fn leaves(documents: &[Node]) -> BTreeMap<String, &str> {
    fn walk<'a>(node: &'a Node, path: &str, leaves: &mut BTreeMap<String, &'a str>) {
        match &node.data {
            Data::Mapping(_) => {
                for (key, value) in entries(node) {
                    walk(value, &format!("{path}.{key}"), leaves);
                }
            }
            Data::Sequence(_) => {
                for (index, item) in items(node).iter().enumerate() {
                    walk(item, &format!("{path}[{index}]"), leaves);
                }
            }
            _ => {
                if let Some((value, _)) = scalar(node) {
                    leaves.insert(path.to_owned(), value);
                }
            }
        }
    }
    let mut found = BTreeMap::new();
    for (index, document) in documents.iter().enumerate() {
        walk(document, &format!("[{index}]"), &mut found);
    }
    found
}

/// Whether only the values of the splices have changed. If a splice does not say
/// which value it changes, its kind of patch has checked that.
pub(super) fn same_but_for(before: &[Node], after: &[Node], splices: &[Splice]) -> bool {
    let Some(paths) =
        splices.iter().map(|splice| splice.path.as_deref()).collect::<Option<Vec<_>>>()
    else {
        return true;
    };
    let (before, after) = (leaves(before), leaves(after));
    let names = before.keys().chain(after.keys());
    names
        .filter(|path| before.get(*path) != after.get(*path))
        .all(|path| paths.contains(&path.as_str()))
}
