//! The documents in a `modules.yaml`: libmodulemd's `modulemd-stream-v2.yaml`
//! and `modulemd-defaults-v1.yaml`.

use std::collections::HashSet;
use std::fmt;

use bundle_format::Nevra;

use crate::libyaml::document::{self, YamlError};
use crate::libyaml::node::{Node, entries, get, items, scalar, text};

/// Modules metadata that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModulesError {
    /// It is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
}

/// The stream of a module that a node uses by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Default {
    /// `None` if the document names no stream, or if two documents disagree.
    pub(super) stream: Option<String>,
    /// When it was written, as a number such as 201909271122. 0 if it does not
    /// say.
    modified: u64,
}

/// One build of a module's stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) module: String,
    pub(super) name: String,
    /// When it was built.
    pub(super) version: u64,
    pub(super) arch: Option<String>,
    /// The fixed context, if the build has one: it tells builds of one version
    /// apart, and stays the same from version to version.
    pub(super) static_context: Option<String>,
    pub(super) requires: Vec<Requirement>,
    pub(super) packages: HashSet<Nevra>,
    /// Names of packages that have left the module and must not be hidden.
    pub(super) demodularized: Vec<String>,
}

/// A module that a stream needs.
#[derive(Debug)]
pub(super) struct Requirement {
    pub(super) module: String,
    /// The streams of it that fulfil the requirement. Empty for any.
    pub(super) streams: Vec<String>,
    /// The streams of it that do not.
    pub(super) refused: Vec<String>,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.module, self.name)
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = self.refused.iter().map(|name| format!("-{name}"));
        let streams: Vec<String> = self.streams.iter().cloned().chain(refused).collect();
        write!(f, "{}:[{}]", self.module, streams.join(","))
    }
}

impl Default {
    /// Merges the default of another repository for the same module. The newer
    /// one wins. If both are equally old and disagree, there is no default
    /// (`modulemd_defaults_v1_merge`).
    pub(super) fn merge(&mut self, other: Self) {
        match self.modified.cmp(&other.modified) {
            std::cmp::Ordering::Less => *self = other,
            std::cmp::Ordering::Equal if self.stream.is_none() => *self = other,
            std::cmp::Ordering::Equal if other.stream.is_some() && self.stream != other.stream => {
                self.stream = None;
            }
            _ => {}
        }
    }
}

/// A document that matters here.
pub(super) enum Document {
    /// A default, with its module.
    Default(String, Default),
    Stream(Stream),
}

/// The documents of one file.
pub(super) fn read(yaml: &str) -> Result<Vec<Document>, ModulesError> {
    let documents = document::documents("modules.yaml", yaml)?;
    Ok(documents.iter().filter_map(one).collect())
}

fn one(document: &Node) -> Option<Document> {
    let data = get(document, "data")?;
    match text(document, "document")? {
        "modulemd-defaults" => {
            let modified = text(data, "modified").and_then(|text| text.parse().ok()).unwrap_or(0);
            let stream = text(data, "stream").map(str::to_owned);
            Some(Document::Default(text(data, "module")?.to_owned(), Default { stream, modified }))
        }
        "modulemd" => stream(data).map(Document::Stream),
        _ => None,
    }
}

fn texts(node: Option<&Node>) -> Vec<String> {
    let items = node.map(items).unwrap_or_default();
    items.iter().filter_map(|item| Some(scalar(item)?.0.to_owned())).collect()
}

fn stream(data: &Node) -> Option<Stream> {
    let rpms = |key: &str| texts(get(data, key).and_then(|node| get(node, "rpms")));
    Some(Stream {
        module: text(data, "name")?.to_owned(),
        name: text(data, "stream")?.to_owned(),
        version: text(data, "version").and_then(|text| text.parse().ok()).unwrap_or(0),
        arch: text(data, "arch").map(str::to_owned),
        static_context: text(data, "static_context")
            .filter(|word| *word == "true")
            .and_then(|_| Some(text(data, "context")?.to_owned())),
        requires: requirements(data),
        packages: rpms("artifacts").iter().filter_map(|text| text.parse().ok()).collect(),
        demodularized: rpms("demodularized"),
    })
}

fn requirements(data: &Node) -> Vec<Requirement> {
    let dependencies = get(data, "dependencies").map(items).unwrap_or_default();
    let mut requirements = Vec::new();
    for requires in dependencies.iter().filter_map(|dependency| get(dependency, "requires")) {
        for (module, streams) in entries(requires) {
            let (refused, streams): (Vec<String>, Vec<String>) =
                texts(Some(streams)).into_iter().partition(|name| name.starts_with('-'));
            requirements.push(Requirement {
                module: module.to_owned(),
                streams,
                refused: refused
                    .iter()
                    .map(|name| name.trim_start_matches('-').to_owned())
                    .collect(),
            });
        }
    }
    requirements
}
