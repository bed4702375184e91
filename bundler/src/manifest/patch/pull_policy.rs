//! The patch that replaces every `imagePullPolicy: Always`.

use super::splice::{self, Splice};
use crate::libyaml::node::{Data, Node, entries, items, scalar};
use crate::spec::patch::PullPolicy;

pub(super) fn splices(
    documents: &[Node],
    text: &str,
    policy: PullPolicy,
) -> Result<Vec<Splice>, String> {
    let to = match policy {
        PullPolicy::IfNotPresent => "IfNotPresent",
        PullPolicy::Never => "Never",
    };
    let mut found = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        walk(document, &format!("[{index}]"), &mut found);
    }
    if found.is_empty() {
        return Err("the manifest has no `imagePullPolicy: Always`".to_owned());
    }
    found.iter().map(|(path, node)| splice::replace(text, node, to, path)).collect()
}

fn walk<'a>(node: &'a Node, path: &str, found: &mut Vec<(String, &'a Node)>) {
    match &node.data {
        Data::Mapping(_) => {
            for (key, value) in entries(node) {
                let path = format!("{path}.{key}");
                match scalar(value) {
                    Some(("Always", _)) if key == "imagePullPolicy" => found.push((path, value)),
                    _ => walk(value, &path, found),
                }
            }
        }
        Data::Sequence(_) => {
            for (index, item) in items(node).iter().enumerate() {
                walk(item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}
