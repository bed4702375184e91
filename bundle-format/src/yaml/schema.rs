//! The JSON Schema of a document: in the form for our checks, and in the form for
//! editors.

use serde_json::{Map, Value, json};

use super::format::{Format, Kind};

/// The standard's formats. All others are ours, and some programs refuse a schema
/// that has one.
const STANDARD: [&str; 4] = ["uri", "ipv4", "ipv6", "hostname"];

/// The schema to publish. Each kind of text is described by its pattern and an
/// example.
pub fn published(format: &Format, title: &str, description: &str) -> Value {
    let mut schema = format.schema.clone();
    publish(&mut schema, format);
    let whole = schema.clone();
    give_examples(&mut schema, &whole);
    let mut head = json!({
        "$schema": schema["$schema"],
        "title": title,
        "description": description,
    });
    if let (Some(head), Value::Object(rest)) = (head.as_object_mut(), schema) {
        head.extend(
            rest.into_iter()
                .filter(|(key, _)| key != "$schema" && key != "title" && key != "description"),
        );
    }
    head
}

/// Gives an example to each key that has none.
fn give_examples(schema: &mut Value, whole: &Value) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match (key.as_str(), value) {
                    ("properties", Value::Object(inner)) => {
                        for one in inner.values_mut() {
                            give_examples(one, whole);
                            if one.get("examples").is_none()
                                && let Some(found) = example(one, whole, 0)
                                && let Some(one) = one.as_object_mut()
                            {
                                one.insert("examples".to_owned(), json!([found]));
                            }
                        }
                    }
                    ("default" | "examples" | "const" | "enum", _) => {}
                    (_, value) => give_examples(value, whole),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| give_examples(one, whole)),
        _ => {}
    }
}

/// An example of an allowed value, with all its required keys.
fn example(schema: &Value, whole: &Value, depth: usize) -> Option<Value> {
    /// The deepest nesting of any document.
    const DEEP: usize = 12;
    if depth > DEEP {
        return None;
    }
    let inner = |schema: &Value| example(schema, whole, depth + 1);
    if let Some(path) = schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        return inner(whole.pointer(path)?);
    }
    let given = schema.get("const").or(schema["enum"].get(0)).or(schema["examples"].get(0));
    if let Some(given) = given {
        return Some(given.clone());
    }
    let several = ["oneOf", "anyOf", "allOf"].iter().find_map(|key| schema[*key].as_array());
    if let Some(several) = several {
        return several.iter().find_map(inner);
    }
    let kind = schema["type"].as_str().or(schema["type"].get(0).and_then(Value::as_str))?;
    match kind {
        "boolean" => Some(json!(true)),
        "integer" => Some(schema.get("default").cloned().unwrap_or(json!(1))),
        "array" => Some(json!([inner(&schema["items"])?])),
        "object" => {
            let mut all = Map::new();
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str()?;
                all.insert(name.to_owned(), inner(&schema["properties"][name])?);
            }
            if let Some(name) = schema["propertyNames"]["examples"][0].as_str() {
                all.insert(name.to_owned(), inner(&schema["additionalProperties"])?);
            }
            Some(Value::Object(all))
        }
        _ => None,
    }
}

fn publish(schema: &mut Value, format: &Format) {
    match schema {
        Value::Object(map) => {
            // Below these keywords, each key is one of the document, not a
            // keyword of the schema.
            for (key, value) in map.iter_mut() {
                match (key.as_str(), value) {
                    ("properties" | "definitions", Value::Object(inner)) => {
                        inner.values_mut().for_each(|one| publish(one, format));
                    }
                    ("default" | "examples" | "const" | "enum", _) => {}
                    (_, value) => publish(value, format),
                }
            }
            publish_text(map, format);
            describe_only_key(map);
        }
        Value::Array(all) => all.iter_mut().for_each(|one| publish(one, format)),
        _ => {}
    }
}

/// Moves the description of a record with a single key to that key.
fn describe_only_key(map: &mut Map<String, Value>) {
    let words = map.get("description").cloned();
    if let (Some(words), Some(Value::Object(inner))) = (words, map.get_mut("properties"))
        && inner.len() == 1
        && let Some(Value::Object(only)) = inner.values_mut().next()
    {
        only.entry("description").or_insert(words);
    }
}

/// Replaces a format of ours by keywords that every program knows.
fn publish_text(map: &mut Map<String, Value>, format: &Format) {
    let Some(name) = map.get("format").and_then(Value::as_str).map(str::to_owned) else { return };
    if STANDARD.contains(&name.as_str()) {
        return;
    }
    map.remove("format");
    if let Some(Kind { pattern, sample, .. }) = format.kind(&name) {
        map.insert("pattern".to_owned(), json!(pattern));
        map.entry("examples").or_insert_with(|| json!([sample]));
    }
    if name == "uint32" {
        map.insert("maximum".to_owned(), json!(u32::MAX));
    }
}
