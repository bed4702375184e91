//! Values that must be texts, and are not texts without quotes: `yes`, `1.20`,
//! `0644`. If such a text is a label, its form is checked too.

use serde_json::Value;

use super::{builtin, identity};
use crate::manifest::object::{Object, place_of_pods};

/// A value that must be a text, and its path.
struct Text<'a> {
    path: String,
    value: &'a Value,
    /// The label's key, if it is a label.
    label: Option<&'a str>,
}

/// The first value that is not a text, and the first label with a wrong form.
pub(super) fn problems(object: &Object) -> Vec<String> {
    let mut found = of_metadata(&object.json);
    found.extend(place_of_pods(object.kind()).into_iter().flat_map(|place| {
        let path = place.trim_start_matches('/').replace('/', ".");
        ["initContainers", "containers"].into_iter().flat_map(move |list| {
            of_containers(&object.json, &format!("{place}/{list}"), &format!("{path}.{list}"))
        })
    }));
    if builtin::is_group(object.group()) {
        found.extend(of_kind(object));
        of_parts(object, &mut found);
    }
    let no_text = found.iter().find(|text| !text.value.is_string() && !text.value.is_null()).map(
        |Text { path, value, .. }| {
            let mut shown = value.to_string();
            shown.truncate(shown.char_indices().nth(40).map_or(shown.len(), |(end, _)| end));
            format!("its {path} is {shown}, which is not a text: put it in quotes")
        },
    );
    let no_label = found.iter().find_map(|Text { path, value, label }| {
        let words = identity::label((*label)?, value.as_str().unwrap_or_default())?;
        Some(format!("its {path} {words}"))
    });
    no_text.into_iter().chain(no_label).collect()
}

fn entries<'a>(map: Option<&'a Value>, path: &str, is_label: bool, found: &mut Vec<Text<'a>>) {
    let entries = map.and_then(Value::as_object).into_iter().flatten();
    found.extend(entries.map(|(key, value)| Text {
        path: format!("{path}[{key}]"),
        value,
        label: is_label.then_some(key),
    }));
}

fn of_metadata(json: &Value) -> Vec<Text<'_>> {
    let Some(metadata) = json.get("metadata") else { return Vec::new() };
    let mut found: Vec<Text<'_>> = ["name", "namespace"]
        .iter()
        .filter_map(|key| {
            Some(Text { path: format!("metadata.{key}"), value: metadata.get(*key)?, label: None })
        })
        .collect();
    entries(metadata.get("labels"), "metadata.labels", true, &mut found);
    entries(metadata.get("annotations"), "metadata.annotations", false, &mut found);
    found
}

/// Mappings that only one kind has.
fn of_kind(object: &Object) -> Vec<Text<'_>> {
    let mut found = Vec::new();
    let places: &[(&str, bool)] = match (object.group(), object.kind()) {
        ("", "ConfigMap") => &[("data", false), ("binaryData", false)],
        ("", "Secret") => &[("data", false), ("stringData", false)],
        ("", "Service" | "ReplicationController") => &[("spec/selector", true)],
        ("storage.k8s.io", "StorageClass") => &[("parameters", false)],
        _ => &[],
    };
    for (place, is_label) in places {
        let map = object.json.pointer(&format!("/{place}"));
        entries(map, &place.replace('/', "."), *is_label, &mut found);
    }
    found
}

/// Values deeper in the object, such as the labels in a pod's template. Objects with
/// schemas, or with data of any form, are left out, because their keys may have the
/// same names.
fn of_parts<'a>(object: &'a Object, found: &mut Vec<Text<'a>>) {
    let is_free = ["apiextensions.k8s.io", "resource.k8s.io"].contains(&object.group())
        || object.kind() == "ControllerRevision";
    if let Some(spec) = object.json.get("spec").filter(|_| !is_free) {
        walk(spec, "spec", found);
    }
}

fn walk<'a>(json: &'a Value, path: &str, found: &mut Vec<Text<'a>>) {
    match json {
        Value::Object(map) => {
            for (key, value) in map {
                let path = format!("{path}.{key}");
                match key.as_str() {
                    "metadata" => {
                        entries(value.get("labels"), &format!("{path}.labels"), true, found);
                        let annotations = format!("{path}.annotations");
                        entries(value.get("annotations"), &annotations, false, found);
                    }
                    "nodeSelector" | "matchLabels" => entries(Some(value), &path, true, found),
                    _ => walk(value, &path, found),
                }
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                walk(value, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

fn of_containers<'a>(json: &'a Value, pointer: &str, path: &str) -> Vec<Text<'a>> {
    let list = |value: Option<&'a Value>| value.and_then(Value::as_array).into_iter().flatten();
    let mut found = Vec::new();
    for (index, container) in list(json.pointer(pointer)).enumerate() {
        let mut take = |path: String, value| found.push(Text { path, value, label: None });
        for key in ["args", "command"] {
            for (n, word) in list(container.get(key)).enumerate() {
                take(format!("{path}[{index}].{key}[{n}]"), word);
            }
        }
        for (n, variable) in list(container.get("env")).enumerate() {
            if let Some(value) = variable.get("value") {
                take(format!("{path}[{index}].env[{n}].value"), value);
            }
        }
    }
    found
}
