//! Reads the texts in a manifest: command lines, lists, programs, and YAML or JSON
//! inside of texts.

use super::super::naming::names_an_image;
use super::super::place::Place;
use super::super::shape::{Shape, is_pinned, judge};
use super::Walk;
use crate::libyaml::document;
use crate::libyaml::node::{Node, ScalarStyle, entries, items, scalar};

/// How many levels of YAML inside of YAML are read.
const MAX_NESTING: usize = 3;

impl Walk {
    /// The words of a command line, with flags and their values.
    pub(super) fn command(&mut self, items: &[Node], place: &Place) {
        let mut flag: Option<&str> = None;
        for (index, item) in items.iter().enumerate() {
            let place = place.item(index);
            let before = flag.take();
            let Some((text, _)) = scalar(item) else {
                self.node(item, &place);
                continue;
            };
            let is_flag = text.starts_with('-');
            match (before, text.split_once(['=', ' '])) {
                _ if text.contains('\n') => self.scalar(item, &place),
                (_, Some((name, value))) if is_flag => {
                    self.text(value, item, &place.called(name));
                }
                (Some(name), _) if !is_flag && names_an_image(name) => {
                    self.text(text, item, &place.called(name));
                }
                _ if is_flag => flag = Some(text),
                _ => self.scalar(item, &place),
            }
        }
    }

    pub(super) fn scalar(&mut self, node: &Node, place: &Place) {
        if let Some((text, _)) = scalar(node) {
            self.text(text, node, place);
        }
    }

    fn text(&mut self, text: &str, node: &Node, place: &Place) {
        if place.is_prose() {
            return;
        }
        if text.contains('\n') || looks_nested(text) {
            return self.nested(text, node, place);
        }
        self.plain(text, node, place);
    }

    /// A text that may contain YAML or JSON.
    fn nested(&mut self, text: &str, node: &Node, place: &Place) {
        let inner = (self.nesting < MAX_NESTING).then(|| document::nested(text)).flatten();
        let structured = inner.filter(|documents| {
            documents
                .iter()
                .any(|inner| entries(inner).next().is_some() || !items(inner).is_empty())
        });
        let Some(documents) = structured else { return self.plain(text, node, place) };
        let offset = self.line_offset;
        self.line_offset = self.line(node).saturating_sub(1);
        self.nesting += 1;
        for document in &documents {
            self.node(document, place);
        }
        self.nesting -= 1;
        self.line_offset = offset;
    }

    fn plain(&mut self, text: &str, node: &Node, place: &Place) {
        if place.is_for_an_image() {
            self.named(text, node, place);
        } else if text.split([',', ';']).any(|part| part.trim().contains(char::is_whitespace)) {
            self.script(text, node);
        } else {
            self.unnamed(text, node, place);
        }
    }

    /// The images in a value whose name says image. It may be one image or a
    /// list, and each may have a name before it: `3.6.0=quay.io/…`.
    fn named(&mut self, text: &str, node: &Node, place: &Place) {
        let separator = |c: char| c.is_whitespace() || ",;".contains(c);
        let parts: Vec<&str> = text.split(separator).filter(|part| !part.is_empty()).collect();
        let parts: Vec<&str> = parts
            .into_iter()
            .map(|part| part.rsplit('=').next().unwrap_or(part).trim_matches(['"', '\'']))
            .collect();
        // If there are plain words among them, it is a sentence or a program.
        if parts.len() > 1 && parts.iter().any(|part| judge(part).0 <= Shape::Word) {
            return self.script(text, node);
        }
        for part in parts.iter().copied() {
            match judge(part) {
                (Shape::Full | Shape::Path, Some(image))
                    if is_pinned(part) || place.key == "image" =>
                {
                    self.found(image, node, place);
                }
                (Shape::Path, Some(_)) => self.guess(part, node, "it names no tag"),
                (Shape::Word, Some(_)) if parts.len() == 1 && is_name(part, &place.key) => {
                    self.guess(part, node, "a field named for an image holds a single word");
                }
                _ => {}
            }
        }
    }

    /// A value that only looks like an image by its own form.
    fn unnamed(&mut self, text: &str, node: &Node, place: &Place) {
        for part in text.split([',', ';']).map(str::trim) {
            let part =
                if part.contains('@') { part } else { part.rsplit('=').next().unwrap_or(part) };
            match judge(part) {
                (Shape::Full, Some(image)) => self.found(image, node, place),
                (Shape::Path, Some(_)) if place.in_command && has_version(part) => {
                    self.guess(part, node, "an argument looks like an image");
                }
                _ => {}
            }
        }
    }

    /// The text of a program. Anything in it that looks like an image is a guess.
    fn script(&mut self, text: &str, node: &Node) {
        let is_literal = scalar(node).is_some_and(|(_, style)| style == ScalarStyle::Literal);
        for (index, line) in text.lines().enumerate() {
            let place = self.line(node) + if is_literal { index } else { 0 };
            for word in line.split(|c: char| c.is_whitespace() || "\"'`=;,()<>|".contains(c)) {
                if word.contains('/') && judge(word).0 == Shape::Full {
                    self.guess_at(word, place, "a script or a text names it");
                }
            }
            // `image = "ubuntu:22.04"`, as in TOML, properties and shell.
            if let Some((name, value)) = line.split_once('=')
                && names_an_image(
                    name.rsplit([' ', '\t']).find(|word| !word.is_empty()).unwrap_or(""),
                )
            {
                let value = value.trim().trim_matches(['"', '\'']);
                if is_pinned(value) && judge(value).0 >= Shape::Path {
                    self.guess_at(value, place, "a script or a text names it");
                }
            }
        }
    }
}

/// Whether a single word, in a place for an image, may be an image's name.
fn is_name(word: &str, key: &str) -> bool {
    names_an_image(key) && word.parse::<bool>().is_err() && word.parse::<f64>().is_err()
}

/// Whether a single line is a JSON object or list.
fn looks_nested(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'))
}

/// Whether the tag begins like a version. `host:8080` does not.
fn has_version(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(_, tag)| {
        let plain = tag.strip_prefix('v').unwrap_or(tag);
        plain.starts_with(|c: char| c.is_ascii_digit()) && tag.contains(['.', '-', 'v'])
    })
}
