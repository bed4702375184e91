//! Files of YAML and JSON, written in all the ways that there are.

use fastrand::Rng;

use super::tree::{self, Tree};
use super::{one_of, rarely, scalar};

/// A file of some documents.
pub fn file(rng: &mut Rng) -> Vec<u8> {
    let mut text = String::new();
    if rarely(20, rng) {
        text.push('\u{feff}');
    }
    if rarely(30, rng) {
        text += one_of(&["%YAML 1.1\n---\n", "%TAG ! !own\n---\n", "# first\n---\n", "\n\n"], rng);
    }
    for number in 0..rng.usize(1..4) {
        let separators = ["---\n", "---\n", "---\n# a comment\n", "--- # a comment\n", "---  \n"];
        let odd = ["...\n", "...\n---\n", "--- a\n", "---\t\n", " ---\n", "---\n---\n", "\n"];
        if number > 0 || rarely(3, rng) {
            text += if rarely(12, rng) { one_of(&odd, rng) } else { one_of(&separators, rng) };
        }
        let tree = tree::document(rng);
        if rarely(8, rng) {
            text += &json(&tree, rng);
            text.push('\n');
        } else {
            let mut writer = Writer { rng, text: String::new(), anchors: 0 };
            writer.document(&tree);
            text += &writer.text;
        }
    }
    if rarely(8, rng) {
        text = text.replace('\n', "\r\n");
    }
    if rarely(6, rng) {
        text.truncate(text.trim_end().len());
    }
    text.into_bytes()
}

fn json(tree: &Tree, rng: &mut Rng) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let space = one_of(&["", " ", "\n  ", "\t"], rng);
    let joined = |parts: Vec<String>| parts.join(&format!(",{space}"));
    match tree {
        Tree::Map(entries) => {
            let entry = |(key, value): &(String, Tree)| {
                format!("{}:{space}{}", quoted(key), json(value, rng))
            };
            format!("{{{space}{}{space}}}", joined(entries.iter().map(entry).collect()))
        }
        Tree::List(items) => {
            let items = items.iter().map(|item| json(item, rng)).collect();
            format!("[{space}{}]", joined(items))
        }
        Tree::Text(text) => match text.as_str() {
            "0" | "1e3" | "true" | "null" => text.clone(),
            text => quoted(text),
        },
    }
}

struct Writer<'a> {
    rng: &'a mut Rng,
    text: String,
    /// How many anchors the document has.
    anchors: usize,
}

impl Writer<'_> {
    fn document(&mut self, tree: &Tree) {
        match tree {
            Tree::Map(entries) if !entries.is_empty() => self.entries(entries, 0, true),
            Tree::List(items) if !items.is_empty() => self.items(items, 0, true),
            tree => {
                self.flow(tree, 0);
                self.text.push('\n');
            }
        }
    }

    fn pad(&mut self, indent: usize) {
        self.text += &" ".repeat(indent);
    }

    /// A comment or an empty line, at times.
    fn pause(&mut self, indent: usize) {
        if rarely(12, self.rng) {
            self.pad(indent);
            self.text += one_of(&["# image: a/b:c\n", "#\n", "\n", "  # 'deeper\n"], self.rng);
        }
    }

    /// A mapping in lines. The first one may have its indentation already.
    fn entries(&mut self, entries: &[(String, Tree)], indent: usize, mut padded: bool) {
        for (key, value) in entries {
            if padded {
                self.pause(indent);
                self.pad(indent);
            }
            padded = true;
            if self.anchors > 0 && rarely(12, self.rng) {
                let sources = [self.alias(), format!("[{}, {}]", self.alias(), self.alias())];
                self.text += &format!("<<: {}\n", sources[self.rng.usize(..2)]);
                self.pad(indent);
            }
            let key = scalar::short(key, self.rng);
            match self.rng.u32(..40) {
                0 => {
                    self.text += &format!("? {key}\n");
                    self.pad(indent);
                    self.text += ":";
                }
                1 => self.text += &format!("{key} :"),
                _ => self.text += &format!("{key}:"),
            }
            self.value(value, indent, true);
        }
    }

    fn items(&mut self, items: &[Tree], indent: usize, mut padded: bool) {
        for item in items {
            if padded {
                self.pause(indent);
                self.pad(indent);
            }
            padded = true;
            self.text.push('-');
            self.value(item, indent, false);
        }
    }

    fn alias(&mut self) -> String {
        format!("*a{}", self.rng.usize(..self.anchors))
    }

    /// A value behind a key's `:` or an item's `-`, up to the end of its last line.
    fn value(&mut self, tree: &Tree, indent: usize, is_behind_key: bool) {
        let gap = one_of(&[" ", " ", " ", " ", "  ", "\t"], self.rng);
        if self.anchors > 0 && rarely(20, self.rng) {
            let alias = self.alias();
            self.text += &format!("{gap}{alias}\n");
            return;
        }
        let mut anchor = String::new();
        if rarely(8, self.rng) {
            anchor = format!("{gap}&a{}", self.anchors);
        }
        self.text += &anchor;
        let deeper = indent + one_of(&[2, 2, 2, 1, 4], self.rng);
        match tree {
            Tree::Map(entries) if !entries.is_empty() && !rarely(5, self.rng) => {
                if is_behind_key || !anchor.is_empty() {
                    self.end_line();
                    self.entries(entries, deeper, true);
                } else {
                    self.pad(deeper - indent - 1);
                    let deeper = deeper.max(indent + 2);
                    self.text.truncate(self.text.trim_end_matches(' ').len());
                    self.pad(deeper - indent - 1);
                    self.entries(entries, deeper, false);
                }
            }
            Tree::List(items) if !items.is_empty() && !rarely(5, self.rng) => {
                self.end_line();
                let same = is_behind_key && self.rng.bool();
                self.items(items, if same { indent } else { deeper }, true);
            }
            Tree::Text(text) => {
                let text = scalar::long(text, indent + 1, self.rng);
                self.text += &format!("{gap}{text}");
                self.end_line();
            }
            tree => {
                self.text += gap;
                self.flow(tree, indent + 1);
                self.end_line();
            }
        }
        self.anchors += usize::from(!anchor.is_empty());
    }

    fn end_line(&mut self) {
        self.text += one_of(&["", "", "", "", "", "", " ", " # image: d/e:f"], self.rng);
        self.text.push('\n');
    }

    /// A value in one piece. Its other lines are `indent` deep.
    fn flow(&mut self, tree: &Tree, indent: usize) {
        let space = match self.rng.u32(..6) {
            0 => String::new(),
            1 => format!("\n{}", " ".repeat(indent)),
            2 => format!(" # a comment\n{}", " ".repeat(indent)),
            _ => " ".to_owned(),
        };
        let (open, close, count) = match tree {
            Tree::Text(text) => {
                self.text += &scalar::short(text, self.rng);
                return;
            }
            Tree::Map(entries) => ('{', '}', entries.len()),
            Tree::List(items) => ('[', ']', items.len()),
        };
        self.text.push(open);
        for place in 0..count {
            match tree {
                Tree::Map(entries) => {
                    let (key, value) = &entries[place];
                    self.text += &scalar::short(key, self.rng);
                    if !rarely(20, self.rng) {
                        self.text += one_of(&[": ", ": ", ": ", ":", " : "], self.rng);
                        self.flow(value, indent);
                    }
                }
                Tree::List(items) => self.flow(&items[place], indent),
                Tree::Text(_) => {}
            }
            if place + 1 < count || rarely(10, self.rng) {
                self.text += &format!(",{space}");
            }
        }
        self.text.push(close);
    }
}
