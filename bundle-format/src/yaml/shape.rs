//! Whether a document has the shape of its JSON Schema: known keys, each once, with
//! values of their type. The schema is made from the types, so the shape is described
//! in one place. Unlike serde, this finds every mistake at once, and says what to
//! write instead.

use std::collections::BTreeMap;

use serde_json::Value;

use super::format::Format;
use super::problem::{Place, Problem, quoted};
use super::tree::{Data, Node};

mod instead;
mod scalar;

use scalar::Kind;

impl Format {
    /// All mistakes in the shape of `root`. Rules between values are checked
    /// elsewhere.
    pub fn check_shape(&self, root: &Node) -> Vec<Problem> {
        let mut checker = Checker { format: self, problems: Vec::new() };
        checker.node(&self.schema, root, self.what);
        checker.problems
    }
}

struct Checker<'s> {
    format: &'s Format,
    problems: Vec<Problem>,
}

impl<'s> Checker<'s> {
    fn add(&mut self, place: Place, message: String) {
        self.problems.push(Problem::new(place, message));
    }

    /// Checks the value of `key`.
    fn node(&mut self, schema: &'s Value, node: &Node, key: &str) {
        if is_open(schema) {
            return self.anything(node, key);
        }
        let choices = self.choices(schema);
        let of_type = |name: &str| -> Vec<&'s Value> {
            choices.iter().copied().filter(|choice| is(choice, name)).collect()
        };
        match &node.data {
            Data::Mapping(entries) => match of_type("object").as_slice() {
                [] => self.wrong(&choices, node, key),
                records => self.mapping(records, node, entries, key),
            },
            Data::Sequence(items) => match of_type("array").first() {
                None => self.wrong(&choices, node, key),
                Some(list) => {
                    for item in items {
                        self.node(&list["items"], item, key);
                    }
                }
            },
            Data::Scalar { text, plain } => self.scalar(&choices, node, text, *plain, key),
        }
    }

    /// Another program's own settings, which may be anything that JSON can
    /// express.
    fn anything(&mut self, node: &Node, key: &str) {
        match &node.data {
            Data::Mapping(entries) => {
                for (name, value) in entries {
                    self.anything(value, name.text().unwrap_or(key));
                }
            }
            Data::Sequence(items) => items.iter().for_each(|item| self.anything(item, key)),
            Data::Scalar { text, plain } => {
                if Kind::of(text, *plain) == Kind::Fraction && !scalar::is_finite(text) {
                    let message = format!("`{key}` cannot be {}: write a number", quoted(text));
                    self.add(node.place, message);
                }
            }
        }
    }

    /// The allowed schemas of a value: the schema itself, or each of its
    /// alternatives.
    fn choices(&self, schema: &'s Value) -> Vec<&'s Value> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target =
                reference.strip_prefix('#').and_then(|path| self.format.schema.pointer(path));
            return target.map(|target| self.choices(target)).unwrap_or_default();
        }
        // A reference with a description is the only entry of `allOf`.
        let several = ["oneOf", "anyOf", "allOf"].iter().find_map(|key| schema[*key].as_array());
        match several {
            Some(choices) => choices.iter().flat_map(|choice| self.choices(choice)).collect(),
            None => vec![schema],
        }
    }

    /// Checks a mapping against a record, or against several records that each
    /// have one key.
    fn mapping(&mut self, records: &[&'s Value], node: &Node, entries: &[(Node, Node)], key: &str) {
        let known: Vec<(&'s String, &'s Value)> = records
            .iter()
            .filter_map(|record| record["properties"].as_object())
            .flatten()
            .collect();
        let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
        let others = records.iter().map(|record| &record["additionalProperties"]);
        let is_open = |schema: &&Value| schema.is_object() || **schema == Value::Bool(true);
        let others = others.into_iter().find(is_open);
        let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
        for (name_node, value) in entries {
            let place = name_node.place;
            let Some(name) = name_node.text() else {
                self.add(place, format!("this cannot be a key: write {}", names.join(", ")));
                continue;
            };
            if let Some(first) = seen.insert(name, place) {
                let line = first.line;
                let name = quoted(name);
                self.add(
                    place,
                    format!("duplicate key {name}: line {line} has it already; keep one of them"),
                );
            } else if let Some((_, schema)) = known.iter().find(|(known, _)| *known == name) {
                self.node(schema, value, name);
            } else if let Some(schema) = others {
                let is_right = self.name_of_other(records, name, place);
                // If the name is wrong, the value mostly is too, so it
                // is not checked as well.
                if is_right || is(schema, "object") || !schema["$ref"].is_null() {
                    self.node(schema, value, name);
                }
            } else {
                let hint = super::hint::hint(name, &names);
                self.add(place, format!("unknown field {}: {}", quoted(name), hint.words));
                if let Some(meant) = hint.meant {
                    // The key is there, only misspelt, so it is
                    // not reported as missing.
                    seen.entry(meant).or_insert(place);
                }
            }
        }
        match records {
            [record] => self.required(record, node, &seen),
            _ if entries.len() != 1 => {
                let message = format!(
                    "{key}: give one of {} in each, not {}",
                    names.join(", "),
                    entries.len()
                );
                self.add(node.place, message);
            }
            _ => {}
        }
    }

    /// Checks the name of an entry that is not a property, such as a registry's
    /// name.
    fn name_of_other(&mut self, records: &[&'s Value], name: &str, place: Place) -> bool {
        let format = records.iter().find_map(|record| record["propertyNames"]["format"].as_str());
        if let Some(Err(reason)) = format.map(|format| self.format.check(format, name)) {
            self.add(place, reason);
            return false;
        }
        true
    }

    fn required(&mut self, record: &'s Value, node: &Node, seen: &BTreeMap<&str, Place>) {
        let required =
            record["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|name| !seen.contains_key(name)) {
            let sample = self.sample(&record["properties"][name]);
            self.add(node.place, format!("`{name}` is missing: write `{name}: {sample}` here"));
        }
    }

    fn scalar(&mut self, choices: &[&'s Value], node: &Node, text: &str, plain: bool, key: &str) {
        let kind = Kind::of(text, plain);
        let fits = choices.iter().any(|choice| match choice["const"].as_str() {
            Some(word) => word == text,
            None => match kind {
                Kind::Null => is(choice, "null"),
                Kind::Switch => is(choice, "boolean"),
                Kind::Whole => {
                    is(choice, "integer") && scalar::in_range(choice, text) || is(choice, "number")
                }
                Kind::Text => is(choice, "string") && choice["format"].is_null(),
                Kind::Fraction => is(choice, "number") && scalar::is_finite(text),
            },
        });
        if fits {
            return;
        }
        if kind == Kind::Null {
            let sample = self.instead(choices);
            let message = format!(
                "`{key}` has no value: write {sample}, or leave it out if it is not needed"
            );
            return self.add(node.place, message);
        }
        // Digits count as a text if the schema allows only text: a digest may
        // consist of digits. The check of its format reports what is wrong
        // with it.
        let no_text = kind == Kind::Switch || kind != Kind::Text && choices.len() > 1;
        match choices.iter().find_map(|choice| text_format(choice)) {
            Some(format) => match self.format.check(format, text) {
                Err(reason) => self.add(node.place, format!("{key}: {reason}")),
                Ok(()) if no_text => self.wrong(choices, node, key),
                Ok(()) => {}
            },
            None => self.wrong(choices, node, key),
        }
    }
}

/// Whether the schema allows any value, because it is another program's setting.
fn is_open(schema: &Value) -> bool {
    const WORDS: [&str; 6] = ["type", "$ref", "oneOf", "anyOf", "allOf", "const"];
    match schema {
        Value::Object(map) => !WORDS.iter().any(|word| map.contains_key(*word)),
        _ => *schema == Value::Bool(true),
    }
}

/// Whether the schema allows the JSON type.
fn is(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::String(own) => own == name,
        Value::Array(all) => all.iter().any(|own| own == name),
        _ => false,
    }
}

/// The kind of text that the schema wants, by its name in [`Format::kinds`].
fn text_format(schema: &Value) -> Option<&str> {
    if is(schema, "string") { schema["format"].as_str() } else { None }
}
