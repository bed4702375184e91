//! The same configuration in the other ways in which TOML writes it: keys with dots, inline
//! tables, quotes of all kinds, comments, and sections in any order.

use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::generated::Numbers;

/// What may stand behind a value.
const ENDS: [&str; 6] = ["", "", "", " # = [the site's]", "\n", "\n# a line of its own"];

/// A text with the same settings.
pub(super) fn written(text: &str, numbers: &mut Numbers) -> String {
    let document: DocumentMut = text.parse().unwrap();
    let mut writer = Writer { numbers, head: String::new(), sections: Vec::new() };
    writer.section(document.as_table(), &[]);
    let Writer { head, mut sections, numbers } = writer;
    for place in (1..sections.len()).rev() {
        sections.swap(place, numbers.below(place + 1));
    }
    let text = format!("# a file of the site\n{head}{}", sections.concat());
    if numbers.chance(20) { text.replace('\n', "\r\n") } else { text }
}

struct Writer<'a> {
    numbers: &'a mut Numbers,
    /// What comes before all sections.
    head: String,
    sections: Vec<String>,
}

impl Writer<'_> {
    /// A table with a header of its own.
    fn section(&mut self, table: &dyn TableLike, path: &[String]) {
        let mut lines = String::new();
        let indent = self.numbers.one(&["", "  ", "\t"]);
        for (key, item) in table.iter() {
            let name = self.key(key);
            let line = format!("{indent}{name}");
            match item.as_table_like() {
                None => lines += &self.line(&line, item),
                Some(inner) => match self.numbers.below(5) {
                    0 => lines += &self.line(&line, item),
                    1 if !inner.is_empty() => self.dotted(inner, &line, &mut lines),
                    _ => self.section(inner, &[path, &[name]].concat()),
                },
            }
        }
        if path.is_empty() {
            self.head = lines;
        } else if !lines.is_empty() || table.is_empty() || self.numbers.chance(30) {
            let dot = self.numbers.one(&[".", ".", " . "]);
            let header = format!("{indent}[{}]{}\n", path.join(dot), self.numbers.one(&ENDS));
            self.sections.push(format!("{header}{lines}"));
        }
    }

    /// A table as keys with dots.
    fn dotted(&mut self, table: &dyn TableLike, before: &str, lines: &mut String) {
        for (key, item) in table.iter() {
            let name = format!("{before}.{}", self.key(key));
            match item.as_table_like() {
                Some(inner) if !inner.is_empty() && self.numbers.chance(70) => {
                    self.dotted(inner, &name, lines);
                }
                _ => lines.push_str(&self.line(&name, item)),
            }
        }
    }

    fn line(&mut self, name: &str, item: &Item) -> String {
        let value = self.inline(item);
        let end = self.numbers.one(&ENDS);
        format!("{name} = {value}{end}\n")
    }

    /// A value, or a table in one line.
    fn inline(&mut self, item: &Item) -> String {
        let Some(table) = item.as_table_like() else {
            return self.value(item.as_value().unwrap());
        };
        let mut entries = Vec::new();
        for (key, item) in table.iter() {
            let value = self.inline(item);
            entries.push(format!("{} = {value}", self.key(key)));
        }
        format!("{{ {} }}", entries.join(", "))
    }

    fn key(&mut self, key: &str) -> String {
        let is_bare = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        match self.numbers.below(4) {
            // Without escapes: containerd 1 takes them for a part of the name, and refuses it.
            0 => format!("\"{key}\""),
            1 | 2 if is_bare => key.to_owned(),
            _ => format!("'{key}'"),
        }
    }

    fn value(&mut self, value: &Value) -> String {
        match value {
            Value::String(text) => {
                let text = text.value();
                match self.numbers.below(4) {
                    0 => format!("\"{}\"", text.replace('/', "\\u002F")),
                    1 => format!("\"\"\"{text}\"\"\""),
                    2 => format!("\"\"\"\\\n   {text}\"\"\""),
                    _ => format!("'{text}'"),
                }
            }
            Value::Array(items) => {
                let gap = self.numbers.one(&["", " ", "\n  ", " # one\n"]);
                let items: Vec<String> = items.iter().map(|item| self.value(item)).collect();
                format!("[{gap}{}{gap}]", items.join(&format!(",{gap}")))
            }
            other => other.to_string().trim().to_owned(),
        }
    }
}
