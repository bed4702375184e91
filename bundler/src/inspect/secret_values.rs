//! Manifests to show, without the values of their Secrets: a log of `lock` is read by more
//! people than the files are.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;

use crate::libyaml::document;
use crate::manifest::object::{Object, objects};

/// Shown in place of a value.
const HIDDEN: &str = "(secret, not shown)";
/// The same, of a value that the text before did not have.
const OTHER: &str = "(another secret, not shown)";

/// Both texts without the values. A line with a new value still differs from the old one's.
pub(super) fn hidden(before: &[u8], after: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let [before, after] = [before, after].map(String::from_utf8_lossy);
    let known: BTreeSet<&str> = before.lines().collect();
    let word = |line: &str| if known.contains(line) { HIDDEN } else { OTHER };
    (shown(&before, &|_| HIDDEN).into_bytes(), shown(&after, &word).into_bytes())
}

/// A text without the values of its Secrets. A text that is no Kubernetes YAML has none.
fn shown(text: &str, word: &dyn Fn(&str) -> &'static str) -> String {
    let Ok(file) = document::read("", text) else { return text.to_owned() };
    let mut secrets: Vec<(Range<usize>, Vec<String>)> = Vec::new();
    for object in objects(&file).0.iter().filter(|object| is_secret(object)) {
        let Some(document) = file.documents.get(object.document) else { continue };
        secrets.push((document.text.clone(), values(object)));
    }
    let (mut all, mut end) = (String::with_capacity(text.len()), 0);
    for group in secrets.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((range, _)) = group.first() else { continue };
        let own = text.get(range.clone()).unwrap_or_default();
        let mut lines = by_indent(own, word);
        let mut values = group.iter().flat_map(|(_, values)| values);
        if values.any(|value| lines.contains(value)) {
            // It is written in another form, such as JSON.
            lines = own.lines().map(|line| format!("{}\n", word(line))).collect();
        }
        all += text.get(end..range.start).unwrap_or_default();
        all += &lines;
        end = range.end;
    }
    all + text.get(end..).unwrap_or_default()
}

fn is_secret(object: &Object) -> bool {
    object.kind() == "Secret" && object.group().is_empty()
}

fn values(object: &Object) -> Vec<String> {
    let maps = ["data", "stringData"].into_iter().filter_map(|key| object.json.get(key));
    let all = maps.filter_map(Value::as_object).flat_map(|map| map.values());
    all.filter_map(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// A document whose keys `data` and `stringData` are blocks: all that is indented below them is
/// hidden, except the names of the values.
fn by_indent(text: &str, word: &dyn Fn(&str) -> &'static str) -> String {
    let mut all = String::with_capacity(text.len());
    // The indents of the key, and of the values' names below it.
    let mut inside: Option<(usize, Option<usize>)> = None;
    for line in text.lines() {
        let bare = line.trim_start();
        let indent = line.len() - bare.trim_start_matches("- ").len();
        match inside {
            Some(_) if bare.is_empty() => {}
            Some((key, names)) if indent > key => {
                let names = names.unwrap_or(indent);
                inside = Some((key, Some(names)));
                let name = bare.split_once(':').filter(|_| indent == names).map(|(name, _)| name);
                let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
                all += &format!("{}{name}{}\n", " ".repeat(indent), word(line));
                continue;
            }
            _ => inside = None,
        }
        let key = bare.trim_start_matches("- ").split_once(':');
        match key.map(|(key, value)| (key.trim_matches(['"', '\'']), value.trim())) {
            Some((key @ ("data" | "stringData"), value)) => {
                inside = Some((indent, None));
                let value = if value.is_empty() { "" } else { word(line) };
                all += format!("{}{key}: {value}", " ".repeat(indent)).trim_end();
            }
            _ => all += line,
        }
        all.push('\n');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";

    fn both(before: &str, after: &str) -> (String, String) {
        let (before, after) = hidden(before.as_bytes(), after.as_bytes());
        (String::from_utf8(before).unwrap(), String::from_utf8(after).unwrap())
    }

    #[test]
    fn a_changed_value_is_seen_but_not_shown() {
        let text = |own: &str| {
            format!("a: 1\n---\n{SECRET}stringData:\n  p: {own}\n  q: same\n---\nb: 2\n")
        };
        let (before, after) = both(&text("hunter2"), &text("hunter3"));
        let shown = |own: &str| text(own).replace("same", HIDDEN);
        assert_eq!((before, after), (shown(HIDDEN), shown(OTHER)));
    }

    #[test]
    fn no_form_of_a_secret_shows_its_values() {
        for own in [
            format!("{SECRET}data:\n  p: aHVudGVyMg==\n"),
            format!("{SECRET}stringData: {{p: aHVudGVyMg==}}\n"),
            format!("{SECRET}stringData:\n  p: |\n    x\n\n    aHVudGVyMg==\ntype: Opaque\n"),
            format!("{SECRET}'data':\n    p: >-\n      aHVudGVyMg==\n"),
            format!("{SECRET}? data\n: {{p: aHVudGVyMg==}}\n"),
            "kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  data: {p: aHVudGVyMg==}\n  kind: \
             Secret\n- data:\n    p: aHVudGVyMg==\n  apiVersion: v1\n  kind: Secret\n"
                .to_owned(),
            "{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"data\": {\"p\": \"aHVudGVyMg==\"}}\n".to_owned(),
        ] {
            let (before, after) = both("", &own);
            assert_eq!(before, "");
            assert!(after.contains(OTHER) && !after.contains("aHVudGVyMg"), "{own}\n{after}");
        }
        for own in ["apiVersion: v1\nkind: ConfigMap\ndata:\n  p: plain\n", "a: [\n", "no yaml"] {
            assert_eq!(both(own, own), (own.to_owned(), own.to_owned()));
        }
    }
}
