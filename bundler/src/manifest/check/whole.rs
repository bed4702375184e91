//! Fields without which Kubernetes refuses an object of its own kinds.

use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use serde_json::Value;

use crate::manifest::object::Object;

/// Base64 as Go reads it: extra bits at the end are ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// All fields that are missing or cannot be used.
pub(super) fn problems(object: &Object) -> Vec<String> {
    match (object.api_version(), object.kind()) {
        ("apps/v1", "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet") => {
            selector(object).into_iter().collect()
        }
        ("v1", "Secret") => secret(object).into_iter().collect(),
        ("apiextensions.k8s.io/v1", _) if object.is_definition() => versions(object),
        _ => Vec::new(),
    }
}

/// The selector of an object's own pods. `extensions/v1beta1` took it from the
/// template.
fn selector(object: &Object) -> Option<String> {
    let map = |pointer: &str| object.json.pointer(pointer).and_then(Value::as_object);
    let selector = map("/spec/selector").filter(|selector| !selector.is_empty());
    let Some(selector) = selector else {
        return Some(
            "it has no spec.selector: write the labels of its pods under \
             `spec.selector.matchLabels`"
                .to_owned(),
        );
    };
    let labels = map("/spec/template/metadata/labels");
    let wanted = selector.get("matchLabels").and_then(Value::as_object);
    let (key, _) = wanted.into_iter().flatten().find(|(key, value)| {
        let own = labels.and_then(|labels| labels.get(*key));
        own != Some(*value)
    })?;
    Some(format!(
        "its spec.selector.matchLabels[{key}] is not a label of its pods: write the same under \
         `spec.template.metadata.labels`"
    ))
}

fn secret(object: &Object) -> Option<String> {
    let data = object.json.get("data").and_then(Value::as_object)?;
    let (key, _) = data.iter().find(|(_, value)| {
        let text = value.as_str().unwrap_or_default().replace(['\r', '\n'], "");
        BASE64.decode(text).is_err()
    })?;
    Some(format!(
        "its data[{key}] is not base64: encode it with `base64 -w0`, or write it as it is under \
         `stringData`"
    ))
}

/// What `apiextensions.k8s.io/v1` requires in a definition, and `v1beta1` did not.
fn versions(object: &Object) -> Vec<String> {
    let mut problems = Vec::new();
    match object.json.pointer("/spec/scope").and_then(Value::as_str) {
        Some("Namespaced" | "Cluster") => {}
        Some(other) => {
            problems.push(format!("its spec.scope is {other}: write `Namespaced` or `Cluster`"));
        }
        None => problems.push("it has no spec.scope: write `Namespaced` or `Cluster`".to_owned()),
    }
    let versions = object.json.pointer("/spec/versions").and_then(Value::as_array);
    let versions = versions.map(Vec::as_slice).unwrap_or_default();
    if versions.is_empty() {
        return problems;
    }
    let name = |version: &Value| {
        version.get("name").and_then(Value::as_str).unwrap_or("without a name").to_owned()
    };
    let bare = versions.iter().find(|version| {
        version.pointer("/schema/openAPIV3Schema").is_none_or(|schema| !schema.is_object())
    });
    problems.extend(bare.map(|version| {
        format!(
            "its version {} has no schema.openAPIV3Schema, which apiextensions.k8s.io/v1 requires: \
             fetch a newer release of it, or write one",
            name(version)
        )
    }));
    let stored: Vec<String> = versions
        .iter()
        .filter(|version| version.get("storage") == Some(&Value::Bool(true)))
        .map(name)
        .collect();
    match stored.as_slice() {
        [_] => {}
        [] => problems.push(
            "none of its versions is stored: write `storage: true` in one of them".to_owned(),
        ),
        many => problems.push(format!(
            "its versions {} are all stored: write `storage: true` in only one of them",
            many.join(", ")
        )),
    }
    problems
}
