//! YAML as a tree that knows the place of each part, and keeps duplicate keys. The
//! checks that report places walk over it.

use std::collections::HashMap;

// serde reads the same text with the same parser.
use serde_saphyr::granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, StrInput};

use super::problem::{Place, Problem, cut};

/// The most nodes of a document, counting the nodes that aliases stand for.
const MAX_NODES: usize = 100_000;
/// How deep collections may nest. Files that people write nest about eight levels.
const MAX_DEPTH: usize = 64;

/// A part of the YAML.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// Its content.
    pub data: Data,
}

/// The content of a part.
#[derive(Clone, Debug)]
pub enum Data {
    /// A single value.
    Scalar {
        /// Its text.
        text: String,
        /// Whether it has neither quotes nor a tag, and so may be a number,
        /// for example.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with values.
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// The value of `key`, if this is a mapping that has the key.
    pub fn value(&self, key: &str) -> Option<&Self> {
        let Data::Mapping(entries) = &self.data else { return None };
        entries.iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    /// The place of the value of `key`. If the key is missing, the place of this
    /// node.
    pub fn place_of(&self, key: &str) -> Place {
        self.value(key).unwrap_or(self).place
    }

    /// The items of the sequence that is the value of `key`.
    pub fn items(&self, key: &str) -> &[Self] {
        match self.value(key).map(|value| &value.data) {
            Some(Data::Sequence(items)) => items,
            _ => &[],
        }
    }

    /// The item with this number, if this is a sequence that has it.
    pub fn item(&self, number: usize) -> Option<&Self> {
        match &self.data {
            Data::Sequence(items) => items.get(number),
            _ => None,
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    fn size(&self) -> usize {
        1 + match &self.data {
            Data::Scalar { .. } => 0,
            Data::Sequence(items) => items.iter().map(Self::size).sum(),
            Data::Mapping(entries) => {
                entries.iter().map(|(key, value)| key.size() + value.size()).sum()
            }
        }
    }
}

/// Reads the only document of `text`; `what` names its kind in errors. `None` if it
/// is empty.
pub fn parse(text: &str, what: &'static str) -> Result<Option<Node>, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut options = Options::default();
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, anchors: HashMap::new(), nodes: 0, what };
    let mut root = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(..) if root.is_some() => {
                let message =
                    format!("a second document begins here: a {what} is one, so remove the `---`");
                return Err(Problem::new(place(span.start), message));
            }
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            event => root = Some(reader.node(event, span, 0)?),
        }
    }
    Ok(root.filter(|root| {
        // The start mark of a document with nothing after it.
        !matches!(&root.data, Data::Scalar { text, plain: true } if text.is_empty())
    }))
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    what: &'static str,
}

/// The library's message, with advice if a tab is the cause.
fn no_yaml(reason: &str) -> String {
    let cure = if reason.contains("tab") { ": write blanks instead of tabs" } else { "" };
    format!("this is not YAML: {reason}{cure}")
}

fn place(marker: Marker) -> Place {
    Place { line: marker.line(), column: marker.col() + 1 }
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        match self.parser.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(Problem::new(place(*error.marker()), no_yaml(&error.info()))),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Problem> {
        let place = place(span.start);
        if depth > MAX_DEPTH {
            return Err(Problem::new(place, format!("it nests deeper than {MAX_DEPTH} levels")));
        }
        let (data, anchor) = match event {
            Event::Scalar(.., Some(tag))
            | Event::SequenceStart(.., Some(tag))
            | Event::MappingStart(.., Some(tag))
                if !["str", "seq", "map"].iter().any(|kind| tag.is_yaml_core_schema_tag(kind)) =>
            {
                let words = cut(&tag.to_string());
                let message = format!("a {} needs no tags: remove `{words}`", self.what);
                // The node's own place is behind its tag.
                let start = span.tag_start().unwrap_or(span.start);
                return Err(Problem::new(self::place(start), message));
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                // The parser gives `~` for an empty value.
                let text = if span.is_empty() { String::new() } else { text.into_owned() };
                (Data::Scalar { text, plain }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (Data::Sequence(self.items(depth)?), anchor),
            Event::MappingStart(_, anchor, _) => (Data::Mapping(self.entries(depth)?), anchor),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(Problem::new(
                        place,
                        "this alias stands for a value that contains the alias",
                    ));
                };
                self.count(node.size(), place)?;
                return Ok(Node { place, ..node });
            }
            _ => return Err(Problem::new(place, "this is not YAML: a value is missing")),
        };
        self.count(1, place)?;
        let node = Node { place, data };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<(Node, Node)>, Problem> {
        let mut entries = Vec::new();
        loop {
            match self.next()? {
                (Event::MappingEnd, _) => return Ok(merged(entries)),
                (event, span) => {
                    let key = self.node(event, span, depth + 1)?;
                    let (event, span) = self.next()?;
                    entries.push((key, self.node(event, span, depth + 1)?));
                }
            }
        }
    }

    fn count(&mut self, more: usize, place: Place) -> Result<(), Problem> {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            let message = format!("with its aliases it has more than {MAX_NODES} values");
            return Err(Problem::new(place, message));
        }
        Ok(())
    }
}

/// The entries, with those that `<<: *anchor` adds. A key of the mapping itself wins.
fn merged(entries: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    let is_merge = |(key, value): &(Node, Node)| {
        matches!(&key.data, Data::Scalar { text, plain: true } if text == "<<")
            && !matches!(value.data, Data::Scalar { .. })
    };
    let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_merge);
    for (_, value) in merges {
        let sources = match value.data {
            Data::Sequence(items) => items,
            _ => vec![value],
        };
        for source in sources {
            let Data::Mapping(entries) = source.data else { continue };
            for (key, value) in entries {
                if !own.iter().any(|(name, _)| name.text() == key.text()) {
                    own.push((key, value));
                }
            }
        }
    }
    own
}
