//! The fields of kubelet's own configuration. With them, a misspelt field is reported
//! here, and not by kubelet on site.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// The content of `kubelet.txt`.
const FIELDS: &str = include_str!("kubelet.txt");
/// The first release of the table, `1.N`.
const FIRST: u32 = 18;

struct Field {
    /// `authentication.webhook.cacheTTL`.
    path: &'static str,
    kind: &'static str,
    /// The first release that has the field.
    since: u32,
    /// The last release that has it.
    until: Option<u32>,
}

fn fields() -> impl Iterator<Item = Field> {
    let lines = FIELDS.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut words = line.split(' ');
        let number = |word: Option<&str>| word.and_then(|word| word.parse().ok());
        let (path, kind) = (words.next()?, words.next()?);
        let since = number(words.next())?;
        Some(Field { path, kind, since, until: number(words.next()) })
    })
}

/// The schema of `kubelet:`.
pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    let mut root = json!({
        "type": "object",
        "properties": {},
        "additionalProperties": false,
        "examples": [{"maxPods": 200}],
    });
    for field in fields() {
        insert(&mut root, field.path, &field);
    }
    Schema::try_from(root).unwrap_or_default()
}

/// Inserts a field at its path, below the fields that the table lists before it.
fn insert(object: &mut Value, path: &str, field: &Field) {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let (name, is_list) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
    let Some(properties) = object["properties"].as_object_mut() else { return };
    if rest.is_empty() {
        let schema = of_kind(field, is_list);
        properties.insert(name.to_owned(), schema);
    } else if let Some(inner) = properties.get_mut(name) {
        insert(if is_list { &mut inner["items"] } else { inner }, rest, field);
    }
}

fn of_kind(field: &Field, is_list: bool) -> Value {
    let mut schema = match field.kind {
        "switch" => json!({"type": "boolean"}),
        "number" => json!({"type": "integer", "examples": [10]}),
        "fraction" => json!({"type": "number", "examples": [0.9]}),
        "text" => json!({"type": "string"}),
        "duration" => json!({"type": "string", "format": "go-duration"}),
        "list" => json!({"type": "array", "items": {"type": "string"}}),
        "texts" => json!({"type": "object", "additionalProperties": {"type": "string"}}),
        "switches" => json!({"type": "object", "additionalProperties": {"type": "boolean"}}),
        "keys" => json!({"type": "object", "properties": {}, "additionalProperties": false}),
        _ => json!({}),
    };
    if is_list {
        schema = json!({"type": "array", "items": schema});
    }
    let release = match (field.since, field.until) {
        (FIRST, None) => String::new(),
        (since, None) => format!(", from Kubernetes 1.{since} on"),
        (since, Some(until)) => format!(", in Kubernetes 1.{since} to 1.{until}"),
    };
    let words = format!("`{}` of kubelet's KubeletConfiguration{release}.", field.path);
    schema["description"] = json!(words);
    schema
}

/// The fields of `given` that kubelet of Kubernetes 1.`minor` does not have, each
/// with its path and a message.
pub(super) fn not_of_release(
    given: &Map<String, Value>,
    minor: u32,
) -> Vec<(Vec<&'static str>, String)> {
    let missing = fields().filter(|field| {
        minor < field.since && field.since > FIRST || field.until.is_some_and(|until| minor > until)
    });
    let mut found: Vec<(Vec<&'static str>, String)> = Vec::new();
    for field in missing.filter(|field| !field.path.contains("[]")) {
        let path: Vec<&'static str> = field.path.split('.').collect();
        let mut value = path.first().and_then(|first| given.get(*first));
        for name in path.iter().skip(1) {
            value = value.and_then(|value| value.get(*name));
        }
        // A field below one that was reported is not reported again.
        if value.is_none() || found.iter().any(|(known, _)| path.starts_with(known)) {
            continue;
        }
        let when = match field.until {
            Some(until) if minor > until => format!("has it until 1.{until}"),
            _ => format!("has it from 1.{} on", field.since),
        };
        let words = format!("kubelet {when}, and the bundle has Kubernetes 1.{minor}");
        found.push((path, words));
    }
    found
}
