//! Checks that objects with pods say which containers run in them.

use serde_json::Value;

use crate::manifest::object::{Object, place_of_pods};

/// What is missing.
pub(super) fn problem(object: &Object) -> Option<String> {
    let place = place_of_pods(object.kind())?;
    let list = |key: &str| {
        let pointer = format!("{place}/{key}");
        object.json.pointer(&pointer).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let containers = list("containers");
    if containers.is_empty() {
        let path = place.trim_start_matches('/').replace('/', ".");
        return Some(format!(
            "it has no {path}.containers, so it runs nothing: was the file cut off? {HINT}"
        ));
    }
    let nameless = list("initContainers").into_iter().chain(containers).find(|container| {
        container.get("image").and_then(Value::as_str).is_none_or(|image| image.trim().is_empty())
    });
    nameless.map(|container| {
        let name = container.get("name").and_then(Value::as_str).unwrap_or("without a name");
        format!("its container {name} names no image: was the file cut off? {HINT}")
    })
}

const HINT: &str = "Fetch it again, and pin it with its publisher's `sha256`";
