//! How large an object may be.

use crate::manifest::object::Object;

/// The most data in a ConfigMap or a Secret, in bytes (`MaxSecretSize`).
const DATA: usize = 1024 * 1024;
/// The largest request to etcd, in bytes (`--max-request-bytes`).
const REQUEST: usize = 3 * 512 * 1024;

/// The problem of an object that is too large for every cluster.
pub(super) fn problem(object: &Object) -> Option<String> {
    let length = object.json.to_string().len();
    let is_data = matches!(object.kind(), "ConfigMap" | "Secret") && object.api_version() == "v1";
    let data: usize = ["data", "binaryData", "stringData"]
        .iter()
        .filter_map(|key| object.json.get(key)?.as_object())
        .flatten()
        .map(|(_, value)| value.as_str().map_or(0, str::len))
        .sum();
    // Base64 has four bytes for every three bytes of data.
    if is_data && object.kind() == "ConfigMap" && data > DATA || is_data && data / 4 * 3 > DATA {
        return Some(format!(
            "it has {data} bytes of data, but Kubernetes accepts {DATA} at most: \
             split it"
        ));
    }
    (length > REQUEST).then(|| {
        format!(
            "it has {length} bytes, but etcd accepts {REQUEST} at most: \
             split it"
        )
    })
}
