//! From a text to its type, with all that is wrong on the way.

use std::ops::Range;

use serde::de::DeserializeOwned;

use super::format::Format;
use super::problem::{Place, Problem};
use super::tree::{self, Data, Node};

/// A text that was read.
pub struct Read<T> {
    /// Its tree.
    pub root: Node,
    /// What it says, less the keys that are wrong where it can be read without them;
    /// none where it cannot be read.
    pub value: Option<T>,
    /// All that is wrong with each value by itself.
    pub problems: Vec<Problem>,
}

impl Format {
    /// Reads a text; none where it is empty. What is no YAML is one problem, for
    /// nothing behind it can be read.
    pub fn read<T: DeserializeOwned>(&self, text: &str) -> Result<Option<Read<T>>, Problem> {
        let Some(root) = tree::parse(text, self.what)? else { return Ok(None) };
        let mut problems = self.check_shape(&root);
        // A text with a wrong value here and there may still be read, and then more
        // can be said of it.
        let value = match problems.as_slice() {
            [] => types(text).map_err(|problem| problems.push(problem)).ok(),
            // Without a key that must be there nothing can be read; with a wrong text
            // mostly something.
            wrong => types(&without(text, &root, wrong)).or_else(|_| types(text)).ok(),
        };
        Ok(Some(Read { root, value, problems }))
    }
}

/// What serde makes of the text, which stops at the first mistake.
fn types<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.without_snippet().to_string();
        // The parser's own text may end in the place, which stands in front here.
        let message = message.split(" at line ").next().unwrap_or(&message);
        let number = |number: u64| usize::try_from(number).unwrap_or(1);
        let place = error.location().map_or(Place { line: 1, column: 1 }, |location| Place {
            line: number(location.line()),
            column: number(location.column()),
        });
        Problem::new(place, message)
    })
}

/// The text with empty lines in the place of entries that have a problem.
fn without(text: &str, root: &Node, problems: &[Problem]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let end = lines.len() + 1;
    let mut wrong = Vec::new();
    entries(root, end, problems, &mut wrong);
    for line in wrong.into_iter().flatten() {
        if let Some(line) = lines.get_mut(line.saturating_sub(1)) {
            *line = "";
        }
    }
    lines.join("\n")
}

/// Adds the lines of the smallest entries that have a problem. Of a mapping in braces
/// none can be taken out by lines.
fn entries(node: &Node, end: usize, problems: &[Problem], wrong: &mut Vec<Range<usize>>) {
    let Data::Mapping(entries) = &node.data else { return };
    for (number, (key, value)) in entries.iter().enumerate() {
        let next = entries.get(number + 1).map_or(end, |(key, _)| key.place.line);
        let lines = key.place.line..next;
        if !problems.iter().any(|problem| lines.contains(&problem.place.line)) {
            continue;
        }
        let mut inner = Vec::new();
        if value.place.line > key.place.line {
            self::entries(value, next, problems, &mut inner);
        }
        let all =
            |one: &Data| matches!(one, Data::Mapping(entries) if entries.len() == inner.len());
        match inner.is_empty() || all(&value.data) {
            true => wrong.push(lines),
            false => wrong.extend(inner),
        }
    }
}
