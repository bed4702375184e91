//! Modularity of el8 and el9: which packages a node without enabled modules sees. The
//! rules are those of libdnf's `setModuleExcludes` (`dnf-sack.cpp`). The node sees
//! the packages of active streams like any other. It does not see those of other
//! streams, nor packages outside of the active streams that have, or provide, the
//! name of a package in one.

mod active;
mod document;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bundle_format::Nevra;

pub use document::ModulesError;
use document::{Default, Document, Stream};

use crate::rpm::package::Package;

/// The documents of some repositories' modules metadata.
#[derive(Debug, std::default::Default)]
pub struct Documents {
    defaults: BTreeMap<String, Default>,
    streams: Vec<Stream>,
}

/// Which packages modules show and hide.
#[derive(Debug, std::default::Default)]
pub struct Modules {
    shown: HashSet<Nevra>,
    /// The packages that are in no active stream, each with its stream.
    others: BTreeMap<Nevra, String>,
    /// Names of packages in active streams, each with its stream.
    names: BTreeMap<String, String>,
}

impl Documents {
    /// Adds one `modules.yaml`.
    pub fn add(&mut self, yaml: &str) -> Result<(), ModulesError> {
        for document in document::read(yaml)? {
            match document {
                Document::Stream(stream) => self.streams.push(stream),
                Document::Default(module, default) => match self.defaults.get_mut(&module) {
                    Some(known) => known.merge(default),
                    None => drop(self.defaults.insert(module, default)),
                },
            }
        }
        Ok(())
    }

    /// The result for nodes of `platform` (`el8`), or of any platform if it is
    /// unknown, and of the architecture `arch` in rpm's spelling.
    pub fn modules(self, platform: Option<&str>, arch: &str) -> Modules {
        let defaults = self
            .defaults
            .iter()
            .filter_map(|(module, default)| Some((module.as_str(), default.stream.as_deref()?)))
            .collect();
        let active = active::active(&self.streams, defaults, platform, arch);
        let mut modules = Modules::default();
        let demodularized =
            demodularized(active.iter().filter_map(|place| self.streams.get(*place)));
        for (place, stream) in self.streams.iter().enumerate() {
            for package in &stream.packages {
                if !active.contains(&place) {
                    modules.others.insert(package.clone(), stream.to_string());
                    continue;
                }
                modules.shown.insert(package.clone());
                let is_source = matches!(package.arch.as_str(), "src" | "nosrc");
                if !is_source
                    && !demodularized.contains(&(stream.module.as_str(), package.name.as_str()))
                {
                    modules.names.insert(package.name.clone(), stream.to_string());
                }
            }
        }
        modules
    }
}

impl Modules {
    /// Whether `package` belongs to any module.
    pub fn contains(&self, package: &Nevra) -> bool {
        self.shown.contains(package) || self.others.contains_key(package)
    }

    /// The stream, as `module:stream`, that hides `package` from a node without
    /// enabled modules.
    pub fn hidden_by(&self, package: &Package) -> Option<&str> {
        let provided = package.provides.iter().map(|capability| capability.name.as_str());
        self.hide(&package.nevra, provided)
    }

    /// The same for a package of this name, if it provides `provided`.
    pub(super) fn hide<'a>(
        &self,
        nevra: &'a Nevra,
        provided: impl Iterator<Item = &'a str>,
    ) -> Option<&str> {
        if self.shown.contains(nevra) {
            return None;
        }
        let mut names = std::iter::once(nevra.name.as_str()).chain(provided);
        let hidden = self.others.get(nevra);
        hidden.or_else(|| names.find_map(|name| self.names.get(name))).map(String::as_str)
    }

    /// Whether no package is hidden, whatever it provides.
    pub(super) fn hide_nothing(&self) -> bool {
        self.others.is_empty() && self.names.is_empty()
    }
}

/// The modules and names of packages that have left them, according to the newest
/// builds of active streams.
fn demodularized<'a>(active: impl Iterator<Item = &'a Stream>) -> BTreeSet<(&'a str, &'a str)> {
    let mut newest: BTreeMap<String, Vec<&Stream>> = BTreeMap::new();
    for stream in active {
        let builds = newest.entry(stream.to_string()).or_default();
        if builds.first().is_some_and(|known| known.version < stream.version) {
            builds.clear();
        }
        if builds.first().is_none_or(|known| known.version == stream.version) {
            builds.push(stream);
        }
    }
    let builds = newest.into_values().flatten();
    let left = |build: &'a Stream| {
        build.demodularized.iter().map(|name| (build.module.as_str(), name.as_str()))
    };
    builds.flat_map(left).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_the_first_column_is_read() {
        let text = "document: modulemd\ndata:\n  name: m\n  stream: s\n  components:\n    rpms:\n      a:\n        rationale: 'Some text\n          on lines.\n\n'\n  artifacts:\n    rpms: [a-0:1-1.x86_64]\n";
        let mut documents = Documents::default();
        documents.add(text).unwrap();
        let modules = documents.modules(None, "x86_64");
        assert!(modules.contains(&"a-1-1.x86_64".parse().unwrap()));
    }
}
