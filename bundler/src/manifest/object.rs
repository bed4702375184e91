//! The objects of a manifest, in the way in which `kubectl apply` takes them, one by
//! one.

use serde_json::Value;

use crate::libyaml::document::File;
use crate::libyaml::node::{Node, get, items};
use crate::libyaml::value::{self, ValueError};

/// An object that can be sent to an API server.
#[derive(Debug)]
pub struct Object {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The document that holds it, from 0.
    pub document: usize,
    /// The whole object.
    pub json: Value,
}

/// A value in the place of an object, and why it is not an object.
#[derive(Debug)]
pub struct Stray {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The whole value; null if JSON cannot express it.
    pub json: Value,
    /// What JSON cannot express.
    pub reason: Option<String>,
}

impl Object {
    fn text(&self, pointer: &str) -> &str {
        self.json.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// `apps/v1`.
    pub fn api_version(&self) -> &str {
        self.text("/apiVersion")
    }

    /// `apps`; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// `v1`.
    pub fn version(&self) -> &str {
        self.api_version().rsplit_once('/').map_or(self.api_version(), |(_, version)| version)
    }

    /// `Deployment`.
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// Its namespace, if it names one.
    pub fn namespace(&self) -> Option<&str> {
        Some(self.text("/metadata/namespace")).filter(|name| !name.is_empty())
    }

    /// Whether it defines a kind.
    pub fn is_definition(&self) -> bool {
        self.kind() == "CustomResourceDefinition" && self.group() == "apiextensions.k8s.io"
    }

    /// `Deployment web/front`.
    pub fn title(&self) -> String {
        match self.namespace() {
            Some(namespace) => format!("{} {namespace}/{}", self.kind(), self.name()),
            None => format!("{} {}", self.kind(), self.name()).trim_end().to_owned(),
        }
    }
}

/// The place of the pod's description in an object of a kind, as a JSON pointer.
pub(super) fn place_of_pods(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Pod" => "/spec",
        "Deployment"
        | "DaemonSet"
        | "StatefulSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job" => "/spec/template/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => return None,
    })
}

/// The objects of a file, also those in lists, and the values that are not objects.
pub fn objects(file: &File) -> (Vec<Object>, Vec<Stray>) {
    let (mut objects, mut strays) = (Vec::new(), Vec::new());
    for (index, document) in file.documents.iter().enumerate() {
        match value::json(&document.node) {
            Ok(json) => take(&document.node, json, index, &mut objects, &mut strays),
            Err(ValueError { line, reason }) => {
                strays.push(Stray { line, json: Value::Null, reason: Some(reason) });
            }
        }
    }
    (objects, strays)
}

fn take(
    node: &Node,
    json: Value,
    document: usize,
    objects: &mut Vec<Object>,
    strays: &mut Vec<Stray>,
) {
    let is_text =
        |key: &str| json.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let is_object = is_text("apiVersion") && is_text("kind");
    // kubectl takes everything with a list of items as a list of objects.
    let Some(Value::Array(list)) = json.get("items").filter(|_| is_object) else {
        match is_object {
            true => objects.push(Object { line: node.line, document, json }),
            false => strays.push(Stray { line: node.line, json, reason: None }),
        }
        return;
    };
    let nodes = get(node, "items").map(items).unwrap_or_default();
    for (index, item) in list.iter().enumerate() {
        let mut item = item.clone();
        if let Some(map) = item.as_object_mut()
            && !map.contains_key("kind")
            && !map.contains_key("apiVersion")
        {
            // The items of a `ConfigMapList` are ConfigMaps.
            let kind = json.get("kind").and_then(Value::as_str).unwrap_or_default();
            map.insert("kind".to_owned(), Value::from(kind.trim_end_matches("List")));
            map.insert(
                "apiVersion".to_owned(),
                json.get("apiVersion").cloned().unwrap_or_default(),
            );
        }
        take(nodes.get(index).unwrap_or(node), item, document, objects, strays);
    }
}
