//! A stream of YAML as libyaml reads it. kubectl's own reader was made from libyaml.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use libyaml_safer::{Event, EventData, MappingStyle, Parser, SequenceStyle};

use super::fault::Fault;
use super::node::{Data, Node, Scalar, ScalarStyle, is_merge, key_name, last_of_each};
use super::stand_in::{self, Disguised, REFUSED};
use super::value::{self, ValueError};

/// The most values and keys of a manifest, counting those that aliases stand for.
/// Each takes up to 200 bytes of memory, even if it is short. The largest published
/// manifests have half a million.
const MAX_NODES: usize = 2_000_000;
/// How deep collections may nest. CRD schemas nest up to about 60 levels.
pub(super) const MAX_DEPTH: usize = 256;

/// The place in its file where a text begins.
#[derive(Clone, Copy, Default)]
pub(super) struct Start {
    pub(super) byte: usize,
    /// Lines before it.
    pub(super) lines: usize,
}

/// Reads YAML from the texts of one file. The limit of nodes is for all of them
/// together.
#[derive(Default)]
pub(super) struct Reader {
    nodes: usize,
}

/// A collection whose end has not been read.
struct Open {
    anchor: Option<String>,
    start: Range<usize>,
    line: usize,
    data: Data,
    /// Whether it is in `[…]` or `{…}`.
    is_flow: bool,
    /// A key whose value has not been read.
    key: Option<Node>,
    /// The number of nodes before it.
    nodes_before: usize,
}

impl Reader {
    /// Reads the documents of a YAML stream that begins at `start`, up to the
    /// first fault. Gives the fault too.
    pub(super) fn stream(&mut self, text: &str, start: Start) -> (Vec<Node>, Option<Fault>) {
        let mut documents = Vec::new();
        let nodes = self.nodes;
        // The library ends the program at a block scalar that ends in spaces and no line break.
        let text = match text.ends_with('\n') {
            true => Cow::Borrowed(text),
            false => Cow::Owned(format!("{text}\n")),
        };
        let Some(plain) = stand_in::without_tags_before_commas(&text) else {
            let reason = "it uses all characters, and has `!` before a comma".to_owned();
            return (documents, Some(Fault { line: start.lines + 1, column: 1, reason }));
        };
        let mut fault = self.read(&plain, start, &mut documents).err();
        if fault
            .as_ref()
            .is_some_and(|fault| REFUSED.iter().any(|word| fault.reason.starts_with(word)))
            && let Some(other) = plain.with_what_kubectl_takes()
        {
            documents.clear();
            self.nodes = nodes;
            fault = self.read(&other, start, &mut documents).err();
        }
        (documents, fault)
    }

    fn read(
        &mut self,
        disguised: &Disguised<'_>,
        start: Start,
        documents: &mut Vec<Node>,
    ) -> Result<(), Fault> {
        let text = &*disguised.text;
        let mut input = stand_in::input(text);
        let mut parser = Parser::new();
        parser.set_input(&mut input);
        let mut open: Vec<Open> = Vec::new();
        let mut anchors: HashMap<String, Anchored> = HashMap::new();
        // A document counts only if its end has been read.
        let mut whole = None;
        loop {
            let event = parser.parse().map_err(|error| {
                if reads_on(text, &error) && documents.len() == 1 {
                    documents.clear();
                }
                fault(text, start, &error)
            })?;
            let span =
                start.byte + at(event.start_mark.index)..start.byte + at(event.end_mark.index);
            let place = Place {
                line: start.lines + at(event.start_mark.line) + 1,
                column: at(event.start_mark.column) + 1,
                span,
            };
            match event.data {
                EventData::StreamEnd => return Ok(()),
                EventData::StreamStart { .. } => continue,
                EventData::DocumentStart { .. } => {
                    anchors.clear();
                    continue;
                }
                EventData::DocumentEnd { .. } => {
                    documents.extend(whole.take());
                    continue;
                }
                _ => {}
            }
            let Some(event) = disguised.undone(event) else {
                return Err(place.fault("a tag is right before a comma".to_owned()));
            };
            let Some(node) = self.node(event, &place, &mut open, &mut anchors)? else { continue };
            let written = text.get(node.span.start - start.byte..node.span.end - start.byte);
            let in_flow = open.last().is_some_and(|parent| parent.is_flow);
            as_kubectl(&node, written.unwrap_or_default(), in_flow)
                .map_err(|reason| place.fault(reason))?;
            match open.last_mut() {
                None => whole = Some(node),
                Some(parent) => parent.take(node),
            }
        }
    }

    /// Handles an event. Gives the value that it completes.
    fn node(
        &mut self,
        event: Event,
        place: &Place,
        open: &mut Vec<Open>,
        anchors: &mut HashMap<String, Anchored>,
    ) -> Result<Option<Node>, Fault> {
        let nodes_before = self.nodes;
        let mut begin = |anchor, data, is_flow| {
            let (start, line) = (place.span.clone(), place.line);
            open.push(Open { anchor, start, line, data, is_flow, key: None, nodes_before });
            match open.len() > MAX_DEPTH {
                true => Err(place.fault(format!("it nests deeper than {MAX_DEPTH} levels"))),
                false => Ok(None),
            }
        };
        let (anchor, node, nodes) = match event.data {
            EventData::SequenceStart { anchor, style, .. } => {
                self.count(1, place)?;
                forget(anchors, anchor.as_deref());
                return begin(anchor, Data::Sequence(Vec::new()), style == SequenceStyle::Flow);
            }
            EventData::MappingStart { anchor, style, .. } => {
                self.count(1, place)?;
                forget(anchors, anchor.as_deref());
                return begin(anchor, Data::Mapping(Vec::new()), style == MappingStyle::Flow);
            }
            EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                self.count(1, place)?;
                forget(anchors, anchor.as_deref());
                let scalar = Scalar { text: value, style, tag, implicit: plain_implicit };
                let scalar = scalar.decoded().map_err(|reason| place.fault(reason))?;
                (anchor, place.node(Data::Scalar(scalar)), 1)
            }
            EventData::SequenceEnd | EventData::MappingEnd => {
                let Some(closed) = open.pop() else { return Ok(None) };
                let nodes = self.nodes - closed.nodes_before;
                (closed.anchor.clone(), closed.ended_at(place)?, nodes)
            }
            EventData::Alias { anchor } => {
                return self.alias(&anchor, place, open, anchors).map(Some);
            }
            EventData::StreamStart { .. }
            | EventData::StreamEnd
            | EventData::DocumentStart { .. }
            | EventData::DocumentEnd { .. } => return Ok(None),
        };
        if let Some(anchor) = anchor {
            // One of the same name inside of it began later, and stays.
            anchors.entry(anchor).or_insert_with(|| Anchored { node: node.clone(), nodes });
        }
        Ok(Some(node))
    }

    /// The value that an alias stands for.
    fn alias(
        &mut self,
        anchor: &str,
        place: &Place,
        open: &[Open],
        anchors: &HashMap<String, Anchored>,
    ) -> Result<Node, Fault> {
        let Some(known) = anchors.get(anchor) else {
            let inside = open.iter().any(|one| one.anchor.as_deref() == Some(anchor));
            let reason = match inside {
                true => format!("the value of the anchor `{anchor}` contains itself"),
                false => format!("there is no anchor `{anchor}` before this"),
            };
            return Err(place.fault(reason));
        };
        let merges = open.last().and_then(|parent| parent.key.as_ref()).is_some_and(is_merge);
        if merges && !matches!(known.node.data, Data::Mapping(_)) {
            return Err(place.fault(format!("`<<` merges `{anchor}`, which is not a mapping")));
        }
        self.count(known.nodes, place)?;
        Ok(known.node.clone())
    }

    fn count(&mut self, nodes: usize, place: &Place) -> Result<(), Fault> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            let reason = format!("it has more than {MAX_NODES} keys and values: split the file");
            return Err(place.fault(reason));
        }
        Ok(())
    }

    /// Counts nodes that [`Self::stream`] did not read.
    pub(super) fn count_at(&mut self, nodes: usize, line: usize) -> Result<(), Fault> {
        self.count(nodes, &Place { span: 0..0, line, column: 1 })
    }
}

impl Open {
    /// The collection. Its last character is at `place`.
    fn ended_at(mut self, place: &Place) -> Result<Node, Fault> {
        if let Data::Mapping(entries) = &mut self.data {
            for (key, value) in last_of_each(entries) {
                let later = entries.iter().find(|(later, _)| key_name(later) == key_name(&key));
                let later = later.map_or(&key, |(later, _)| later);
                value::replaced(&key, &value, later)
                    .map_err(|ValueError { line, reason }| Fault { line, column: 1, reason })?;
            }
        }
        Ok(Node { data: self.data, span: self.start.start..place.span.end, line: self.line })
    }

    fn take(&mut self, node: Node) {
        match &mut self.data {
            Data::Sequence(items) => items.push(node),
            Data::Mapping(entries) => match self.key.take() {
                None => self.key = Some(node),
                Some(key) => entries.push((key, node)),
            },
            Data::Scalar(_) => {}
        }
    }
}

/// An anchor counts from where it begins: from there on, an older one of its name is gone.
fn forget(anchors: &mut HashMap<String, Anchored>, anchor: Option<&str>) {
    anchor.map(|anchor| anchors.remove(anchor));
}

/// The value of an anchor, and its number of nodes.
struct Anchored {
    node: Node,
    nodes: usize,
}

/// The place of an event.
struct Place {
    span: Range<usize>,
    line: usize,
    column: usize,
}

impl Place {
    fn node(&self, data: Data) -> Node {
        Node { data, span: self.span.clone(), line: self.line }
    }

    fn fault(&self, reason: String) -> Fault {
        Fault { line: self.line, column: self.column, reason }
    }
}

/// A mark counts in `u64`. Every text that is read here is in memory, so `usize` is
/// enough.
fn at(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn fault(text: &str, start: Start, error: &libyaml_safer::Error) -> Fault {
    if let Some(mark) = error.problem_mark() {
        let reason = match error.context() {
            Some(context) => format!("{} {context}", error.problem()),
            None => error.problem().to_owned(),
        };
        return Fault {
            line: start.lines + at(mark.line) + 1,
            column: at(mark.column) + 1,
            reason,
        };
    }
    // Only the error for a character that YAML does not allow has no place.
    let strange = |c: &char| {
        !matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}'
            | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    };
    let (mut line, mut column) = (start.lines + 1, 1);
    for c in text.chars().take_while(|c| !strange(c)) {
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    Fault { line, column, reason: error.problem().to_owned() }
}

/// Whether kubectl's reader may refuse a document because of what follows it without
/// `---`: it reads some words on, and knows no `\/`. Nobody means such a text.
fn reads_on(text: &str, error: &libyaml_safer::Error) -> bool {
    let rest = error.problem_mark().and_then(|mark| text.get(at(mark.index)..));
    error.problem() == "did not find expected <document start>"
        && rest.is_some_and(|rest| rest.contains("\\/"))
}

/// Refuses what libyaml accepts only since kubectl's reader was made from it.
fn as_kubectl(node: &Node, written: &str, in_flow: bool) -> Result<(), String> {
    let Data::Scalar(scalar) = &node.data else { return Ok(()) };
    match scalar.style {
        ScalarStyle::DoubleQuoted => {
            let mut characters = written.chars();
            while let Some(c) = characters.next() {
                if c == '\\' && characters.next() == Some('/') {
                    return Err("kubectl knows no escape `\\/` in YAML: write `/`".to_owned());
                }
            }
        }
        ScalarStyle::Plain if in_flow && scalar.text.contains('?') => {
            return Err("kubectl ends a text at `?` in […] and {…}: put it in quotes".to_owned());
        }
        _ => {}
    }
    Ok(())
}
