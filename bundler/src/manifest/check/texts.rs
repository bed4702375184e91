//! Values that have to be texts, and are none without quotes: `yes`, `1.20`,
//! `0644`.

use serde_json::Value;

use super::pods;
use crate::manifest::object::Object;

/// The first such value that is none.
pub(super) fn problem(object: &Object) -> Option<String> {
    let mut found = of_metadata(&object.json);
    found.extend(pods::place(object.kind()).into_iter().flat_map(|place| {
        let path = place.trim_start_matches('/').replace('/', ".");
        ["initContainers", "containers"].into_iter().flat_map(move |list| {
            of_containers(&object.json, &format!("{place}/{list}"), &format!("{path}.{list}"))
        })
    }));
    found.into_iter().find(|(_, value)| !value.is_string() && !value.is_null()).map(
        |(path, value)| {
            let mut shown = value.to_string();
            shown.truncate(shown.char_indices().nth(40).map_or(shown.len(), |(end, _)| end));
            format!("its {path} is {shown}, which is no text: put it in quotes")
        },
    )
}

fn of_metadata(json: &Value) -> Vec<(String, &Value)> {
    let Some(metadata) = json.get("metadata") else { return Vec::new() };
    let mut found: Vec<(String, &Value)> = ["name", "namespace"]
        .iter()
        .filter_map(|key| Some((format!("metadata.{key}"), metadata.get(*key)?)))
        .collect();
    for key in ["labels", "annotations"] {
        let entries = metadata.get(key).and_then(Value::as_object).into_iter().flatten();
        found.extend(entries.map(|(name, value)| (format!("metadata.{key}[{name}]"), value)));
    }
    found
}

fn of_containers<'a>(json: &'a Value, pointer: &str, path: &str) -> Vec<(String, &'a Value)> {
    let list = |value: Option<&'a Value>| value.and_then(Value::as_array).into_iter().flatten();
    let mut found = Vec::new();
    for (index, container) in list(json.pointer(pointer)).enumerate() {
        for key in ["args", "command"] {
            let words = list(container.get(key)).enumerate();
            found.extend(words.map(|(n, word)| (format!("{path}[{index}].{key}[{n}]"), word)));
        }
        for (n, variable) in list(container.get("env")).enumerate() {
            let value = variable.get("value");
            found.extend(value.map(|value| (format!("{path}[{index}].env[{n}].value"), value)));
        }
    }
    found
}
