//! How large an object may be.

use serde_json::Value;

use crate::manifest::object::Object;

/// Of an annotation, which has to hold the whole object where kubectl applies it
/// by itself (`ValidateAnnotationsSize`: 256 KiB for all of an object's).
const ANNOTATIONS: usize = 256 * 1024;
/// What is left free for the annotation's name and for what others write.
const MARGIN: usize = 8 * 1024;
/// Of all data of a ConfigMap or a Secret (`MaxSecretSize`).
const DATA: usize = 1024 * 1024;
/// Of a request to etcd (`--max-request-bytes`).
const REQUEST: usize = 3 * 512 * 1024;

/// Whether `kubectl apply` cannot note the object in its own annotation, so that
/// the server has to keep account of it.
pub fn is_too_large_for_annotation(object: &Object) -> bool {
    let annotations = object.json.pointer("/metadata/annotations").and_then(Value::as_object);
    let own: usize = annotations
        .into_iter()
        .flatten()
        .map(|(key, value)| key.len() + value.as_str().map_or(0, str::len))
        .sum();
    // Go writes `<`, `>` and `&` as six bytes.
    let json = object.json.to_string();
    let escaped = json.bytes().filter(|byte| b"<>&".contains(byte)).count() * 5;
    json.len() + escaped + own + MARGIN > ANNOTATIONS
}

/// What no cluster takes.
pub(super) fn problem(object: &Object) -> Option<String> {
    let length = object.json.to_string().len();
    let is_data = matches!(object.kind(), "ConfigMap" | "Secret") && object.api_version() == "v1";
    let data: usize = ["data", "binaryData", "stringData"]
        .iter()
        .filter_map(|key| object.json.get(key)?.as_object())
        .flatten()
        .map(|(_, value)| value.as_str().map_or(0, str::len))
        .sum();
    // Base64 has four bytes for three.
    if is_data && object.kind() == "ConfigMap" && data > DATA || is_data && data / 4 * 3 > DATA {
        return Some(format!("it has {data} bytes of data, and Kubernetes takes {DATA}: split it"));
    }
    (length > REQUEST).then(|| format!("it has {length} bytes, and etcd takes {REQUEST}: split it"))
}
