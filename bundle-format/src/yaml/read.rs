//! Reading a text into its type, and finding all mistakes on the way.

use std::ops::Range;

use serde::de::DeserializeOwned;

use super::format::Format;
use super::problem::{Place, Problem};
use super::tree::{self, Data, Node};

/// A text that was read.
pub struct Read<T> {
    /// Its tree.
    pub root: Node,
    /// The value, read without the keys that are wrong if it can be read that
    /// way. `None` if it cannot be read.
    pub value: Option<T>,
    /// All mistakes in single values.
    pub problems: Vec<Problem>,
}

impl Format {
    /// Reads a text. Gives `None` if it is empty. Text that is not YAML gives a
    /// single problem, because nothing after that place can be read.
    pub fn read<T: DeserializeOwned>(&self, text: &str) -> Result<Option<Read<T>>, Problem> {
        let Some(root) = tree::parse(text, self.what)? else { return Ok(None) };
        let mut problems = self.check_shape(&root);
        // A text with some wrong values may still be readable, and then more
        // of it can be checked.
        let value = match problems.as_slice() {
            [] => types(text).map_err(|problem| problems.push(problem)).ok(),
            // If that removes a required key, serde cannot read the text.
            // Then the text is read as it is, because the types often
            // accept a wrong value.
            wrong => types(&without(text, &root, wrong)).or_else(|_| types(text)).ok(),
        };
        Ok(Some(Read { root, value, problems }))
    }
}

/// Lets serde read the text. It stops at the first mistake.
fn types<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.without_snippet().to_string();
        // The parser's message may end with the place, which is shown in front
        // already.
        let message = message.split(" at line ").next().unwrap_or(&message);
        let number = |number: u64| usize::try_from(number).unwrap_or(1);
        let place = error.location().map_or(Place { line: 1, column: 1 }, |location| Place {
            line: number(location.line()),
            column: number(location.column()),
        });
        Problem::new(place, message)
    })
}

/// The text, with empty lines instead of the entries that have a problem.
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

/// Adds the lines of the smallest entries that have a problem. Entries of a mapping
/// in braces cannot be removed line by line.
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
