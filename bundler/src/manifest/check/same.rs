//! Whether two objects with the same name mean the same for a cluster.

use serde_json::Value;

use crate::manifest::object::Object;

/// Fields that mean the same whether they are empty or left out, as `kubectl create
/// --dry-run -o yaml` prints them. Other empty mappings have a meaning, such as a
/// `namespaceSelector`.
const EMPTY: [&str; 8] = [
    "spec",
    "data",
    "labels",
    "annotations",
    "resources",
    "securityContext",
    "strategy",
    "updateStrategy",
];

/// Whether both leave the cluster in the same state.
pub(super) fn is_same(one: &Object, other: &Object) -> bool {
    one.json == other.json || meant(one) == meant(other)
}

fn meant(object: &Object) -> Value {
    let mut json = object.json.clone();
    if let Some(map) = json.as_object_mut() {
        map.remove("status");
    }
    // Several charts bring the same namespace, each with labels of its own.
    let is_namespace = object.kind() == "Namespace" && object.api_version() == "v1";
    if let Some(metadata) = json.get_mut("metadata").and_then(Value::as_object_mut)
        && is_namespace
    {
        metadata.remove("labels");
        metadata.remove("annotations");
    }
    // `default` is what an object without a namespace gets.
    if json.pointer("/metadata/namespace") == Some(&Value::from("default"))
        && let Some(metadata) = json.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.remove("namespace");
    }
    strip(&mut json);
    json
}

fn strip(json: &mut Value) {
    match json {
        Value::Object(map) => {
            map.values_mut().for_each(strip);
            map.retain(|key, value| {
                let is_empty = value.as_object().is_some_and(serde_json::Map::is_empty);
                !(value.is_null() || is_empty && EMPTY.contains(&key.as_str()))
            });
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}
