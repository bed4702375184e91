//! Kinds that manifests define themselves, with CustomResourceDefinitions.

use serde_json::Value;

use crate::manifest::object::Object;

/// A kind that an object defines.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) group: String,
    /// `None` for all kinds of the group, which an APIService serves.
    pub(super) kind: Option<String>,
    /// The served versions.
    pub(super) versions: Vec<String>,
    pub(super) is_namespaced: Option<bool>,
}

/// The kind that the object defines, if it defines one. The error says what is
/// missing.
pub(super) fn of(object: &Object) -> Option<Result<Definition, String>> {
    let text = |pointer: &str| object.json.pointer(pointer).and_then(Value::as_str);
    if object.kind() == "APIService" && object.group() == "apiregistration.k8s.io" {
        return Some(Ok(Definition {
            group: text("/spec/group")?.to_owned(),
            kind: None,
            versions: text("/spec/version").map(str::to_owned).into_iter().collect(),
            is_namespaced: None,
        }));
    }
    object.is_definition().then(|| {
        let need = |pointer: &str| {
            let path = pointer.trim_start_matches('/').replace('/', ".");
            text(pointer).ok_or_else(|| format!("it has no {path}: was the file cut off?"))
        };
        let group = need("/spec/group")?;
        let plural = need("/spec/names/plural")?;
        let kind = need("/spec/names/kind")?;
        if object.name() != format!("{plural}.{group}") {
            return Err(format!("its name must be {plural}.{group}, of its plural and group"));
        }
        let is_served = |version: &&Value| version.get("served") != Some(&Value::Bool(false));
        let listed = object.json.pointer("/spec/versions").and_then(Value::as_array);
        let mut versions: Vec<String> = listed
            .into_iter()
            .flatten()
            .filter(is_served)
            .filter_map(|version| version.get("name")?.as_str().map(str::to_owned))
            .collect();
        versions.extend(text("/spec/version").map(str::to_owned));
        if versions.is_empty() {
            return Err("it serves no version: was the file cut off?".to_owned());
        }
        Ok(Definition {
            group: group.to_owned(),
            kind: Some(kind.to_owned()),
            versions,
            is_namespaced: text("/spec/scope").map(|scope| scope == "Namespaced"),
        })
    })
}
