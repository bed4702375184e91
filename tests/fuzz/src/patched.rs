//! Whether a patch changed what it is to change, and nothing else, by what the documents
//! mean before and after it.

use std::collections::BTreeMap;

use bundler::spec::patch::{Change, Set, Workload};
use serde_json::Value;

/// Ends the target if it did not.
pub(crate) fn check(change: &Change, before: &[Value], after: &[Value]) {
    let (old, new) = (leaves(before), leaves(after));
    let changed: Vec<&String> =
        old.keys().chain(new.keys()).filter(|path| old.get(*path) != new.get(*path)).collect();
    let at = |found: &BTreeMap<String, Value>, path: &str| {
        found.get(path).map_or_else(String::new, Value::to_string)
    };
    let is_meant = |path: &str| match change {
        Change::HostNetwork(_) => path.ends_with("/hostNetwork") || path.ends_with("/dnsPolicy"),
        Change::PoolCidr(network) => at(&new, path).contains(&network.to_string()),
        Change::PullPolicy(_) => at(&old, path) == "\"Always\"" && at(&new, path) == "\"Never\"",
        Change::ImageRewrite(rewrite) => {
            // A text that names an image may also be a key.
            let is_in_key =
                [&rewrite.from, &rewrite.to].iter().any(|name| path.contains(&escaped(name)));
            is_in_key || at(&new, path).contains(&rewrite.to)
        }
        Change::Set(set) => path.ends_with(&pointer(set)),
    };
    for path in &changed {
        let (from, to) = (at(&old, path), at(&new, path));
        assert!(is_meant(path), "{change} changed {path} from {from} to {to}");
    }
    let wanted = match change {
        Change::HostNetwork(workload) => Some((
            workload.clone(),
            "/spec/template/spec/hostNetwork".to_owned(),
            Value::Bool(true),
        )),
        Change::Set(set) => {
            let Set { kind, namespace, name, .. } = set.clone();
            Some((Workload { kind, namespace, name }, pointer(set), value(set)))
        }
        _ => None,
    };
    if let Some((workload, pointer, value)) = wanted {
        let object = object(after, &workload).expect("a patch finds what is there");
        let found = object.pointer(&pointer);
        assert_eq!(found, Some(&value), "{change} has no effect at {pointer}");
    }
}

/// The path of a value as RFC 6901 writes it.
fn pointer(set: &Set) -> String {
    let path = set.path.to_string();
    let (plain, quoted) = path.split_once("[\"").unwrap_or((&path, ""));
    let plain = format!("/{}", plain.replace(['.', '['], "/").replace(']', ""));
    match quoted.strip_suffix("\"]") {
        Some(key) => format!("{plain}/{}", escaped(key)),
        None => plain,
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn value(set: &Set) -> Value {
    match &set.value {
        bundler::spec::patch::Value::Bool(value) => (*value).into(),
        bundler::spec::patch::Value::Number(value) => (*value as f64).into(),
        bundler::spec::patch::Value::Text(value) => value.as_str().into(),
    }
}

/// The first object of a kind and a name, also in a `List`.
fn object<'a>(documents: &'a [Value], workload: &Workload) -> Option<&'a Value> {
    let all = documents.iter().flat_map(|document| {
        let items = document.get("items").and_then(Value::as_array).into_iter().flatten();
        std::iter::once(document).chain(items)
    });
    let is = |value: Option<&Value>, text: &str| value.and_then(Value::as_str) == Some(text);
    let mut all = all.filter(|one| is(one.get("kind"), &workload.kind));
    all.find(|one| is(one.pointer("/metadata/name"), &workload.name))
}

/// All values that are no collections, and empty collections, by their paths.
fn leaves(documents: &[Value]) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let numbered = documents.iter().enumerate();
    let mut left: Vec<(String, &Value)> =
        numbered.map(|(at, one)| (format!("/{at}"), one)).collect();
    while let Some((path, value)) = left.pop() {
        match value {
            Value::Object(map) if !map.is_empty() => {
                left.extend(map.iter().map(|(key, one)| (format!("{path}/{}", escaped(key)), one)));
            }
            Value::Array(items) if !items.is_empty() => {
                let items = items.iter().enumerate();
                left.extend(items.map(|(at, one)| (format!("{path}/{at}"), one)));
            }
            leaf => drop(found.insert(path, leaf.clone())),
        }
    }
    found
}
