//! Kubernetes YAML and JSON, read as kubectl reads it: each document of a file
//! becomes a tree that knows the place of each part.

use std::ops::Range;

use bundle_format::bounds::MAX_YAML;
use serde_json::Value;

use super::fault::Fault;
use super::node::Node;
use super::parse::{Reader, Start};
use super::stream::{Chunk, chunks};
use super::{json, value};

pub use super::fault::YamlError;
pub use super::stream::Oddity;

/// The byte order mark that some editors put before UTF-8.
const MARK: char = '\u{feff}';

/// A file's documents.
#[derive(Debug, Default)]
pub struct File {
    /// The documents that are not empty.
    pub documents: Vec<Document>,
    /// What other releases of kubectl read differently.
    pub oddities: Vec<Oddity>,
    /// The lines, from 1, that kubectl ignores without a message: those after the
    /// end of a document without a `---` before them.
    pub unread: Vec<usize>,
}

/// A document.
#[derive(Debug)]
pub struct Document {
    /// Its content.
    pub node: Node,
    /// The bytes of the file that kubectl reads for it.
    pub text: Range<usize>,
    /// Whether it is JSON. kubectl reads JSON by other rules.
    pub is_json: bool,
}

/// The documents of `text` as kubectl reads them. Errors call the file `file`.
pub fn documents(file: &str, text: &str) -> Result<Vec<Node>, YamlError> {
    Ok(read(file, text)?.documents.into_iter().map(|document| document.node).collect())
}

/// The same, with the other facts about the file.
pub fn read(file: &str, text: &str) -> Result<File, YamlError> {
    read_chunks(text).map_err(|fault| fault.of(file))
}

/// All documents of a text that a program other than kubectl reads, wherever they
/// end.
pub fn nested(text: &str) -> Option<Vec<Node>> {
    match Reader::default().stream(text, Start::default()) {
        (documents, None) => Some(documents),
        _ => None,
    }
}

fn read_chunks(text: &str) -> Result<File, Fault> {
    if text.len() as u64 > MAX_YAML {
        let reason = format!("it has more than {MAX_YAML} bytes");
        return Err(Fault { line: 1, column: 1, reason });
    }
    let mut file = File::default();
    let mut reader = Reader::default();
    for chunk in chunks(text, &mut file.oddities)? {
        let text = chunk.byte..chunk.end;
        if chunk.is_json {
            let node = json::value(&chunk.text, chunk.start(), &mut reader)?;
            file.documents.push(Document { node, text, is_json: true });
            continue;
        }
        let (documents, fault) = yaml(&chunk, &mut reader)?;
        let mut documents = documents.into_iter();
        let first = documents.next();
        match fault {
            Some(fault) if first.is_none() => return Err(fault),
            fault => file.unread.extend(fault.map(|fault| fault.line)),
        }
        let first = first.filter(holds_something);
        file.documents.extend(first.map(|node| Document { node, text, is_json: false }));
        file.unread.extend(documents.filter(holds_something).map(|node| node.line));
    }
    Ok(file)
}

fn yaml(chunk: &Chunk<'_>, reader: &mut Reader) -> Result<(Vec<Node>, Option<Fault>), Fault> {
    // libyaml does not count a byte order mark at the beginning.
    let text = chunk.text.strip_prefix(MARK).unwrap_or(&chunk.text);
    let byte = chunk.byte + chunk.text.len() - text.len();
    if let Some(place) = text.find("\n\u{feff}") {
        let before = text.get(..=place).unwrap_or_default().matches('\n').count();
        let reason = "kubectl takes this byte order mark for a part of the key behind it: take it \
                      out";
        return Err(Fault { line: chunk.lines + before + 1, column: 1, reason: reason.to_owned() });
    }
    Ok(reader.stream(text, Start { byte, ..chunk.start() }))
}

/// Whether a document is more than comments.
fn holds_something(document: &Node) -> bool {
    value::json(document) != Ok(Value::Null)
}

#[cfg(test)]
mod tests;
