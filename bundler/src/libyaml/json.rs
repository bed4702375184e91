//! JSON with the places of its values. kubectl reads JSON by JSON's own rules, which
//! differ from YAML's.

use super::fault::Fault;
use super::node::{Data, Node, Scalar, ScalarStyle, last_of_each};
use super::parse::{MAX_DEPTH, Reader, Start};

/// Reads the only value of `text`. The caller knows that the text is JSON.
pub(super) fn value(text: &str, start: Start, reader: &mut Reader) -> Result<Node, Fault> {
    let mut json = Json { text, start, at: 0, line: start.lines + 1, reader };
    json.value(0)
}

struct Json<'a> {
    text: &'a str,
    start: Start,
    at: usize,
    line: usize,
    reader: &'a mut Reader,
}

impl Json<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        let space = self.rest().len() - self.rest().trim_start().len();
        self.line += self.rest().get(..space).unwrap_or_default().matches('\n').count();
        self.at += space;
    }

    /// Consumes `sign` if it comes next. Says whether it did.
    fn eats(&mut self, sign: char) -> bool {
        self.space();
        let is_next = self.rest().starts_with(sign);
        if is_next {
            self.at += sign.len_utf8();
        }
        is_next
    }

    fn fault(&self, reason: &str) -> Fault {
        Fault { line: self.line, column: 1, reason: reason.to_owned() }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        if depth > MAX_DEPTH {
            return Err(self.fault(&format!("it nests deeper than {MAX_DEPTH} levels")));
        }
        self.reader.count_at(1, self.line)?;
        self.space();
        let (begin, line) = (self.at, self.line);
        let data = if self.eats('{') {
            let mut entries = Vec::new();
            while !self.eats('}') {
                let key = self.value(depth + 1)?;
                if !self.eats(':') {
                    return Err(self.fault("a `:` is missing in JSON"));
                }
                entries.push((key, self.value(depth + 1)?));
                self.eats(',');
            }
            drop(last_of_each(&mut entries));
            Data::Mapping(entries)
        } else if self.eats('[') {
            let mut items = Vec::new();
            while !self.eats(']') {
                items.push(self.value(depth + 1)?);
                self.eats(',');
            }
            Data::Sequence(items)
        } else {
            Data::Scalar(self.scalar()?)
        };
        let span = self.start.byte + begin..self.start.byte + self.at;
        Ok(Node { data, span, line })
    }

    fn scalar(&mut self) -> Result<Scalar, Fault> {
        let is_text = self.rest().starts_with('"');
        let length = if is_text {
            let mut is_escaped = false;
            let end = self.rest().bytes().skip(1).position(|byte| {
                let is_end = byte == b'"' && !is_escaped;
                is_escaped = byte == b'\\' && !is_escaped;
                is_end
            });
            end.map_or(self.rest().len(), |end| end + 2)
        } else {
            let is_over = |c: char| c.is_whitespace() || ",]}".contains(c);
            self.rest().find(is_over).unwrap_or(self.rest().len())
        };
        let written = self.rest().get(..length).unwrap_or_default();
        let text = match is_text {
            true => {
                serde_json::from_str(written).map_err(|error| self.fault(&error.to_string()))?
            }
            false => written.to_owned(),
        };
        if written.is_empty() {
            return Err(self.fault("a value is missing in JSON"));
        }
        self.at += length;
        let style = if is_text { ScalarStyle::DoubleQuoted } else { ScalarStyle::Plain };
        Ok(Scalar { text, style, tag: None, implicit: !is_text })
    }
}
