//! What to write instead of a value of the wrong type, taken from the schema.

use serde_json::Value;

use super::super::hint;
use super::super::problem::{cut, quoted};
use super::super::tree::{Data, Node};
use super::scalar::Kind;
use super::{Checker, is};

impl<'s> Checker<'s> {
    /// Adds the problem that the value of `key` is none of `choices`.
    pub(super) fn wrong(&mut self, choices: &[&'s Value], node: &Node, key: &str) {
        let shown = match &node.data {
            Data::Scalar { text, plain: false } => format!("the text \"{}\"", cut(text)),
            Data::Scalar { text, .. } => quoted(text),
            Data::Sequence(_) => "a list".to_owned(),
            Data::Mapping(_) => "keys with values".to_owned(),
        };
        if let Some(words) = node.text().and_then(|text| meant(choices, text)) {
            return self.add(node.place, format!("`{key}` cannot be {shown}: {words}"));
        }
        let instead = match &node.data {
            // A single item in place of a list: suggests the list of that
            // item.
            Data::Scalar { text, .. } if choices.iter().any(|choice| is(choice, "array")) => {
                format!("a list such as `[{}]`", cut(text))
            }
            // YAML reads this as a number, but a text is wanted.
            Data::Scalar { text, plain: true }
                if choices
                    .iter()
                    .any(|choice| is(choice, "string") && choice["const"].is_null())
                    && Kind::of(text, true) != Kind::Text =>
            {
                format!("{} or, in quotes, `\"{}\"`", self.instead(choices), cut(text))
            }
            _ => self.instead(choices),
        };
        self.add(node.place, format!("`{key}` cannot be {shown}: write {instead} instead"));
    }

    /// The values that are allowed, in words: `on` or `{off: the reason}`.
    pub(super) fn instead(&self, choices: &[&'s Value]) -> String {
        let words: Vec<String> = choices
            .iter()
            .filter(|choice| choice["type"] != "null")
            .map(|choice| match choice {
                _ if !choice["const"].is_null() || is(choice, "object") => {
                    format!("`{}`", self.sample(choice))
                }
                _ if is(choice, "number") && is(choice, "boolean") => {
                    "a text, a number, `true` or `false`".to_owned()
                }
                _ if is(choice, "boolean") => "`true` or `false`".to_owned(),
                _ if is(choice, "integer") => whole_number(choice),
                _ if is(choice, "number") => "a number".to_owned(),
                _ if is(choice, "array") => format!("a list such as `{}`", self.sample(choice)),
                _ => match self.sample_of_format(choice) {
                    Some(sample) => format!("`{sample}`"),
                    None => "a text".to_owned(),
                },
            })
            .collect();
        words.join(" or ")
    }

    /// An example of such a value, in YAML.
    pub(super) fn sample(&self, schema: &'s Value) -> String {
        let choices = self.choices(schema);
        let Some(choice) = choices.first() else { return "…".to_owned() };
        if let Some(word) = choice["const"].as_str() {
            return word.to_owned();
        }
        if is(choice, "array") {
            return format!("[{}]", self.sample(&choice["items"]));
        }
        if is(choice, "object") {
            let required = choice["required"].as_array().into_iter().flatten();
            let entries: Vec<String> = required
                .filter_map(Value::as_str)
                .map(|name| format!("{name}: {}", self.sample(&choice["properties"][name])))
                .collect();
            return match entries.as_slice() {
                [] => "{…}".to_owned(),
                entries => format!("{{{}}}", entries.join(", ")),
            };
        }
        self.sample_of_format(choice).unwrap_or("…").to_owned()
    }

    fn sample_of_format(&self, choice: &Value) -> Option<&'s str> {
        let kind = self.format.kind(choice["format"].as_str()?)?;
        Some(kind.sample)
    }
}

/// What a whole number of this schema may be.
fn whole_number(schema: &Value) -> String {
    let of = |key: &str| schema[key].as_u64();
    match (of("default"), of("minimum"), of("maximum")) {
        (_, Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
        (Some(default), ..) => format!("a whole number such as {default}"),
        _ => "a whole number".to_owned(),
    }
}

/// The allowed word that another known word stands for.
fn meant(choices: &[&Value], text: &str) -> Option<String> {
    let words: Vec<&str> = choices.iter().filter_map(|choice| choice["const"].as_str()).collect();
    let word = hint::near(text, &words)?;
    Some(match word.eq_ignore_ascii_case(text) {
        true => format!("write `{word}` instead"),
        false => format!("did you mean `{word}`?"),
    })
}
