//! Where one document ends and the next begins for kubectl: its `YAMLOrJSONDecoder`
//! splits a file before it reads YAML or JSON.

use std::borrow::Cow;

use super::fault::Fault;
use super::parse::Start;

/// A document's text.
#[derive(Debug)]
pub(super) struct Chunk<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) byte: usize,
    pub(super) end: usize,
    pub(super) lines: usize,
    pub(super) is_json: bool,
}

/// Something that only some releases of kubectl read as it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// The line, from 1.
    pub line: usize,
    /// The minor of the first release that reads it as it is meant.
    pub since: u32,
    /// What stands there.
    pub what: &'static str,
}

impl Chunk<'_> {
    pub(super) fn start(&self) -> Start {
        Start { byte: self.byte, lines: self.lines }
    }
}

/// Splits a file into its documents.
pub(super) fn chunks<'a>(
    text: &'a str,
    oddities: &mut Vec<Oddity>,
) -> Result<Vec<Chunk<'a>>, Fault> {
    let mut chunks = Vec::new();
    let rest = if text.trim_start().starts_with('{') {
        json(text, &mut chunks, oddities)?
    } else {
        Some(Start::default())
    };
    if let Some(start) = rest {
        yaml(text, start, &mut chunks, oddities)?;
    }
    Ok(chunks)
}

/// Takes JSON values from the front. Gives the place where YAML begins, if it does.
fn json<'a>(
    text: &'a str,
    chunks: &mut Vec<Chunk<'a>>,
    oddities: &mut Vec<Oddity>,
) -> Result<Option<Start>, Fault> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let mut done = 0;
    loop {
        let value = values.next();
        let rest = text.get(done..).unwrap_or_default();
        let byte = done + (rest.len() - rest.trim_start().len());
        let lines = |byte: usize| text.get(..byte).unwrap_or_default().matches('\n').count();
        match value {
            None => return Ok(None),
            Some(Ok(_)) => {
                let end = values.byte_offset();
                let one = text.get(byte..end).unwrap_or_default();
                chunks.push(Chunk {
                    text: Cow::Borrowed(one),
                    byte,
                    end,
                    lines: lines(byte),
                    is_json: true,
                });
                done = end;
            }
            // After more than one value, kubectl assumes that the rest is
            // JSON too, and it looks at four bytes to find the end of the
            // space between.
            Some(Err(error)) if chunks.len() > 1 || rest.len() < 4 => {
                return Err(Fault {
                    line: error.line().max(1),
                    column: error.column().max(1),
                    reason: format!("after JSON, this is not JSON: {error}"),
                });
            }
            Some(Err(_)) => {
                let line = lines(byte);
                let what = match chunks.len() {
                    0 => "`{` that does not begin JSON",
                    _ => "YAML or `---` after JSON",
                };
                oddities.push(Oddity { line: line + 1, since: 33, what });
                // kubectl consumes the rest of the line on which the
                // value ends.
                let eaten = rest.find('\n').map_or(rest.len(), |end| end + 1);
                let eaten = if rest.get(..eaten).is_some_and(|line| line.trim().is_empty()) {
                    done + eaten
                } else {
                    byte
                };
                return Ok(Some(Start { byte: eaten, lines: lines(eaten) }));
            }
        }
    }
}

/// Splits at each line that begins with `---`.
fn yaml<'a>(
    text: &'a str,
    start: Start,
    chunks: &mut Vec<Chunk<'a>>,
    oddities: &mut Vec<Oddity>,
) -> Result<(), Fault> {
    let mut begin = start;
    let mut here = start;
    let mut cut = |begin: Start, end: usize| {
        let part = text.get(begin.byte..end).unwrap_or_default();
        if !part.is_empty() {
            // kubectl adds a line break to the last line. This matters in
            // a block scalar.
            let text = match part.ends_with('\n') {
                true => Cow::Borrowed(part),
                false => Cow::Owned(format!("{part}\n")),
            };
            let (byte, lines) = (begin.byte, begin.lines);
            chunks.push(Chunk { text, byte, end, lines, is_json: false });
        }
    };
    for line in text.get(start.byte..).unwrap_or_default().split_inclusive('\n') {
        let after = Start { byte: here.byte + line.len(), lines: here.lines + 1 };
        if let Some(behind) = line.strip_prefix("---") {
            let behind = behind.trim();
            if !behind.is_empty() && !behind.starts_with('#') {
                return Err(Fault {
                    line: here.lines + 1,
                    column: 4,
                    reason: format!("only a comment may follow `---`, not `{}`", first_of(behind)),
                });
            }
            if begin.byte == here.byte {
                // If nothing is before it, the separator belongs to
                // the text.
                here = after;
                continue;
            }
            if !behind.is_empty() {
                let what = "a comment after `---`";
                oddities.push(Oddity { line: here.lines + 1, since: 22, what });
            }
            cut(begin, here.byte);
            begin = after;
        }
        here = after;
    }
    cut(begin, text.len());
    Ok(())
}

fn first_of(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
