//! Kubernetes YAML as a tree that remembers where each part stands.

use std::collections::HashSet;

use saphyr::{MarkedYaml, ScalarStyle, YamlData, YamlLoader};
use saphyr_parser::Parser;

/// How many nodes aliases may stand for in one file. Real manifests have none.
const MAX_ALIASED: usize = 100_000;
/// The largest manifest that is read, in bytes; the largest published ones have
/// about 6 MB.
pub const MAX_BYTES: u64 = 32 << 20;
/// How many values and keys a manifest may have. Each takes up to 400 bytes of
/// memory, however short it is; the largest published manifests have half a
/// million.
const MAX_NODES: usize = 2_000_000;
/// How deep collections may nest; CRD schemas reach about 60.
const MAX_DEPTH: usize = 256;

/// A file that is not YAML.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}:{line}:{column}: {reason}")]
pub struct YamlError {
    file: String,
    line: usize,
    column: usize,
    reason: String,
}

/// The documents of `text`; scalars are kept as they are written.
pub fn documents<'a>(file: &str, text: &'a str) -> Result<Vec<MarkedYaml<'a>>, YamlError> {
    let fail = |line, column, reason: String| YamlError {
        file: file.to_owned(),
        line,
        column: column + 1,
        reason,
    };
    if text.len() as u64 > MAX_BYTES {
        return Err(fail(1, 0, format!("it has more than {MAX_BYTES} bytes")));
    }
    let mut depth = 0usize;
    let mut nodes = 0usize;
    let mut loader = YamlLoader::default();
    loader.early_parse(false);
    loader.alias_limit(MAX_ALIASED);
    // kubectl takes the last of two equal keys, and published manifests rely
    // on it.
    loader.allow_duplicate_keys(true);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            fail(error.marker().line(), error.marker().col(), error.info().to_owned())
        })?;
        use saphyr_parser::Event;
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                depth += 1;
                nodes += 1;
            }
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            Event::Scalar(..) => nodes += 1,
            _ => {}
        }
        if nodes > MAX_NODES {
            let reason = format!("it has more than {MAX_NODES} keys and values: split the file");
            return Err(fail(span.start.line(), span.start.col(), reason));
        }
        if depth > MAX_DEPTH {
            let reason = format!("it nests deeper than {MAX_DEPTH} levels");
            return Err(fail(span.start.line(), span.start.col(), reason));
        }
        saphyr_parser::SpannedEventReceiver::on_event(&mut loader, event, span);
        if let Some(error) = loader.error() {
            return Err(fail(error.marker().line(), error.marker().col(), error.info().to_owned()));
        }
    }
    Ok(loader.into_documents())
}

/// The text of a scalar, with its style; none for a collection or an empty one.
pub fn scalar<'a>(node: &'a MarkedYaml<'_>) -> Option<(&'a str, ScalarStyle)> {
    match &node.data {
        YamlData::Representation(text, style, _) => Some((text, *style)),
        YamlData::Tagged(_, inner) => scalar(inner),
        _ => None,
    }
}

/// The entries of a mapping whose keys are scalars.
pub fn entries<'a, 'b>(
    node: &'a MarkedYaml<'b>,
) -> Box<dyn Iterator<Item = (&'a str, &'a MarkedYaml<'b>)> + 'a> {
    match &node.data {
        YamlData::Mapping(mapping) => {
            Box::new(mapping.iter().filter_map(|(key, value)| Some((scalar(key)?.0, value))))
        }
        YamlData::Tagged(_, inner) => entries(inner),
        _ => Box::new(std::iter::empty()),
    }
}

/// The same with what the merge key `<<` brings in, as kubectl reads it: the
/// mapping's own entries go first, then those of what is merged, in its order.
pub fn merged<'a, 'b>(node: &'a MarkedYaml<'b>) -> Vec<(&'a str, &'a MarkedYaml<'b>)> {
    let mut all: Vec<_> = entries(node).filter(|(key, _)| *key != "<<").collect();
    if let Some(source) = get(node, "<<") {
        let mut seen: HashSet<&str> = all.iter().map(|(key, _)| *key).collect();
        let sources = std::iter::once(source).chain(items(source));
        all.extend(sources.flat_map(merged).filter(|(key, _)| seen.insert(key)));
    }
    all
}

/// Whether the node is `{{ … }}`, the mark of a template without the quotes
/// that would make it a text.
pub fn is_template(node: &MarkedYaml<'_>) -> bool {
    match &node.data {
        YamlData::Mapping(mapping) => mapping.iter().any(|(key, _)| key.data.is_mapping()),
        _ => false,
    }
}

/// The items of a sequence.
pub fn items<'a, 'b>(node: &'a MarkedYaml<'b>) -> &'a [MarkedYaml<'b>] {
    match &node.data {
        YamlData::Sequence(items) => items,
        YamlData::Tagged(_, inner) => items(inner),
        _ => &[],
    }
}

/// The value behind `key` in a mapping.
pub fn get<'a, 'b>(node: &'a MarkedYaml<'b>, key: &str) -> Option<&'a MarkedYaml<'b>> {
    entries(node).find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// The scalar behind `key` in a mapping.
pub fn text<'a>(node: &'a MarkedYaml<'_>, key: &str) -> Option<&'a str> {
    get(node, key).and_then(scalar).map(|(text, _)| text)
}
