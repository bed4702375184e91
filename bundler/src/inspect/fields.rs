//! The fields in which two locks differ although their artifacts are the same.

use std::collections::{BTreeSet, HashSet};

use bundle_format::lock::Lock;
use bundle_format::text;
use serde_json::Value;

use super::change::Change;
use super::subject::{Kind, Subject};

/// The longest text of a field that is shown whole, in characters.
const LONGEST: usize = 200;

/// Each field that differs, by its path in the lock.
pub(super) fn changes(a: &Lock, b: &Lock) -> Vec<Change> {
    let mut found = Vec::new();
    let value = |lock: &Lock| serde_json::to_value(lock).unwrap_or_default();
    compare("", &value(a), &value(b), &mut found);
    found
}

fn compare(path: &str, a: &Value, b: &Value, found: &mut Vec<Change>) {
    match (a, b) {
        _ if a == b => {}
        (Value::Object(from), Value::Object(to)) => {
            let dot = if path.is_empty() { "" } else { "." };
            let fields: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
            for key in fields {
                let [a, b] = [from, to].map(|fields| fields.get(key).unwrap_or(&Value::Null));
                compare(&format!("{path}{dot}{key}"), a, b, found);
            }
        }
        (Value::Array(from), Value::Array(to)) if from.len() == to.len() => {
            for (index, (a, b)) in from.iter().zip(to).enumerate() {
                compare(&format!("{path}[{}]", name(a).unwrap_or(index.to_string())), a, b, found);
            }
        }
        (Value::Array(from), Value::Array(to)) => {
            // Compared by their text in a set, because a lock from
            // elsewhere may have long lists.
            let only = |of: &[Value], other: &[Value]| -> Vec<Value> {
                let other: HashSet<String> = other.iter().map(Value::to_string).collect();
                of.iter().filter(|value| !other.contains(&value.to_string())).cloned().collect()
            };
            let (gone, come) = (only(from, to), only(to, from));
            if gone.is_empty() && come.is_empty() {
                let count = |values: &[Value]| Some(text::count(values.len(), "entry"));
                found.push(change(path, count(from), count(to)));
            }
            for value in gone {
                found.push(change(path, words(&value), None));
            }
            for value in come {
                found.push(change(path, None, words(&value)));
            }
        }
        _ => found.push(change(path, words(a), words(b))),
    }
}

fn change(path: &str, from: Option<String>, to: Option<String>) -> Change {
    Change::new(Subject::new(Kind::Field, path), from, to)
}

/// The name of a list's entry, if it has one.
fn name(value: &Value) -> Option<String> {
    let field = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    ["id", "package", "name", "title"].into_iter().find_map(field)
}

/// The text of a value; `None` for a field that is not there.
fn words(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    Some(shown)
}
