//! The passes in which a manifest is applied. Most manifests need one. kubectl checks
//! a file against the kinds that the cluster has at that time. So definitions of
//! kinds come before their objects, and namespaces before the objects in them.
//! Objects that are too large for kubectl's annotation are merged by the server.

use std::collections::BTreeSet;

use serde_json::Value;

use super::object::{Object, objects};
use crate::libyaml::document::File;

/// The most bytes in all annotations of an object (`ValidateAnnotationsSize`: 256
/// KiB). If kubectl applies an object by itself, one annotation holds the whole
/// object.
const ANNOTATIONS: usize = 256 * 1024;
/// Bytes that are left free for the annotation's name, and for annotations of others.
const MARGIN: usize = 8 * 1024;

/// A part of a manifest that is applied at once.
#[derive(Debug, PartialEq, Eq)]
pub struct Pass {
    /// Its documents.
    pub text: String,
    /// Whether it defines kinds. The API server needs a moment to serve these.
    pub defines_kinds: bool,
    /// Whether the server merges it (`kubectl apply --server-side`).
    pub by_server: bool,
}

/// The order of objects: namespaces, definitions, then all others. Among these,
/// objects that kubectl applies by itself come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    rank: u8,
    by_server: bool,
}

/// The passes of a file with this text. Empty if one is enough.
pub fn passes(file: &File, text: &str) -> Vec<Pass> {
    let (objects, _) = objects(file);
    let hoisted = has_late_namespace(&objects);
    let turn = |object: &Object| Turn {
        rank: match object.kind() {
            "Namespace" if hoisted => 0,
            _ if object.is_definition() => 1,
            _ => 2,
        },
        by_server: is_too_large_for_annotation(object),
    };
    let turns: BTreeSet<Turn> = objects.iter().map(turn).collect();
    if turns.iter().all(|turn| *turn == Turn { rank: 2, by_server: false }) {
        return Vec::new();
    }
    turns
        .into_iter()
        .map(|wanted| Pass {
            text: part(file, text, &objects, |object| turn(object) == wanted),
            defines_kinds: wanted.rank == 1,
            by_server: wanted.by_server,
        })
        .collect()
}

/// Whether the object is too large for `kubectl apply`'s own annotation, so that the
/// server must record who set which field.
fn is_too_large_for_annotation(object: &Object) -> bool {
    let annotations = object.json.pointer("/metadata/annotations").and_then(Value::as_object);
    let own: usize = annotations
        .into_iter()
        .flatten()
        .map(|(key, value)| key.len() + value.as_str().map_or(0, str::len))
        .sum();
    // Go writes `<`, `>` and `&` as six bytes each.
    let json = object.json.to_string();
    let escaped = json.bytes().filter(|byte| b"<>&".contains(byte)).count() * 5;
    json.len() + escaped + own + MARGIN > ANNOTATIONS
}

/// Whether an object comes before the namespace that it is in.
fn has_late_namespace(objects: &[Object]) -> bool {
    let mut needed = BTreeSet::new();
    objects.iter().any(|object| {
        needed.extend(object.namespace());
        object.kind() == "Namespace" && needed.contains(object.name())
    })
}

/// The wanted objects. A document stays as it is written if all of its objects are
/// wanted. Otherwise its objects are written as JSON, which is also YAML.
fn part(file: &File, text: &str, objects: &[Object], wanted: impl Fn(&Object) -> bool) -> String {
    let mut part = String::new();
    for (index, document) in file.documents.iter().enumerate() {
        let own: Vec<&Object> = objects.iter().filter(|one| one.document == index).collect();
        let taken: Vec<&&Object> = own.iter().filter(|one| wanted(one)).collect();
        let written = text.get(document.text.clone()).filter(|_| !document.is_json);
        match written.filter(|_| taken.len() == own.len() && !taken.is_empty()) {
            Some(written) => {
                let written = written.trim_start_matches('\u{feff}');
                let end = if written.ends_with('\n') { "" } else { "\n" };
                part += &format!("---\n{written}{end}");
            }
            None => taken.iter().for_each(|one| part += &format!("---\n{}\n", yaml(one))),
        }
    }
    part
}

/// An object as JSON that is also YAML: characters that YAML does not have, or reads
/// as the end of a line, are escaped.
fn yaml(object: &Object) -> String {
    let strange = |c: &char| {
        matches!(
            c,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
    };
    let json = object.json.to_string();
    if !json.chars().any(|c| strange(&c)) {
        return json;
    }
    json.chars()
        .map(|c| if strange(&c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libyaml::{document, value};

    fn of(text: &str) -> Vec<Pass> {
        passes(&document::read("x", text).unwrap(), text)
    }

    const CRD: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
                       metadata: {name: as.x.io}\nspec: {group: x.io, names: {kind: A, plural: as}}\n";
    const OWN: &str =
        "# mine\napiVersion: x.io/v1\nkind: A\nmetadata: {name: a}\ntext: |+\n  b\n\n";

    #[test]
    fn one_pass_is_left_as_it_is() {
        let objects = "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n---\n\
                       apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: ns}\n";
        assert_eq!(of(objects), []);
    }

    #[test]
    fn definitions_go_before_their_objects_and_every_text_stays() {
        let found = of(&format!("{OWN}---\n{CRD}"));
        let texts: Vec<&str> = found.iter().map(|pass| pass.text.as_str()).collect();
        assert_eq!(texts, [format!("---\n{CRD}"), format!("---\n{OWN}")]);
        assert_eq!(found.iter().map(|pass| pass.defines_kinds).collect::<Vec<_>>(), [true, false]);
        assert_eq!(of(CRD).len(), 1, "others may need it");
    }

    #[test]
    fn a_namespace_goes_before_what_is_in_it() {
        let found = of("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: ns}\n---\n\
                        apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n");
        assert!(found[0].text.contains("kind: Namespace") && !found[0].text.contains("kind: Pod"));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_is_too_large_for_kubectl_is_merged_by_the_server() {
        let large = "x".repeat(300_000);
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n---\napiVersion: v1\n\
             kind: ConfigMap\nmetadata: {{name: b}}\ndata: {{x: {large}}}\n---\n{CRD}  x: {large}\n"
        );
        let text =
            text.replace("names: {kind: A, plural: as}}\n  x", "names: {kind: A, plural: as}}\nx");
        let found = of(&text);
        let kinds: Vec<_> = found.iter().map(|pass| (pass.defines_kinds, pass.by_server)).collect();
        assert_eq!(kinds, [(true, true), (false, false), (false, true)]);
    }

    #[test]
    fn lists_and_json_come_apart_as_they_are_meant() {
        let json = "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\
            {\"apiVersion\": \"apiextensions.k8s.io/v1\", \"kind\": \"CustomResourceDefinition\"},\
            {\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"x\": \"\\ud83d\\ude00\\/\\u007f\\u2028\\n\"}]}";
        let found = of(json);
        assert_eq!(found.len(), 2);
        let again = document::documents("x", &found[1].text).unwrap();
        let secret = value::json(&again[0]).unwrap();
        assert_eq!(secret["x"], "\u{1f600}/\u{7f}\u{2028}\n");
    }
}
