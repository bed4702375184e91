//! Modularity of el8 and el9: packages of a module's default stream are there
//! like any other; those of its other streams are not, and a package outside of
//! modules is hidden by one of the same name in a default stream (dnf's
//! `modularity.rst`, "Package filtering"). Documents: libmodulemd's
//! `modulemd-stream-v2.yaml` and `modulemd-defaults-v1.yaml`.

use std::collections::{BTreeMap, HashSet};

use bundle_format::Nevra;

use crate::manifest::document::{self, YamlError, get, items, scalar, text};

/// Modules metadata that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModulesError {
    /// It is no YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
}

/// What the modules metadata of some repositories says.
#[derive(Debug, Default)]
pub struct Modules {
    defaults: BTreeMap<String, String>,
    streams: Vec<Stream>,
}

#[derive(Debug)]
struct Stream {
    module: String,
    name: String,
    packages: HashSet<Nevra>,
}

impl Modules {
    /// Takes in one `modules.yaml`.
    pub fn add(&mut self, yaml: &str) -> Result<(), ModulesError> {
        // Published files close quoted texts in the first column, as libyaml
        // lets them; our parser wants them deeper than what they belong to.
        let deep = " ".repeat(64);
        let yaml = yaml.replace("\n'\n", &format!("\n{deep}'\n"));
        let yaml = yaml.replace("\n\"\n", &format!("\n{deep}\"\n"));
        for document in document::documents("modules.yaml", &yaml)? {
            let Some(data) = get(&document, "data") else { continue };
            match text(&document, "document") {
                Some("modulemd-defaults") => {
                    if let (Some(module), Some(stream)) =
                        (text(data, "module"), text(data, "stream"))
                    {
                        self.defaults.insert(module.to_owned(), stream.to_owned());
                    }
                }
                Some("modulemd") => {
                    let (Some(module), Some(name)) = (text(data, "name"), text(data, "stream"))
                    else {
                        continue;
                    };
                    let rpms = get(data, "artifacts").and_then(|artifacts| get(artifacts, "rpms"));
                    let packages = rpms
                        .map(items)
                        .unwrap_or_default()
                        .iter()
                        .filter_map(|item| scalar(item)?.0.parse().ok())
                        .collect();
                    self.streams.push(Stream {
                        module: module.to_owned(),
                        name: name.to_owned(),
                        packages,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether `package` belongs to any module.
    pub fn contains(&self, package: &Nevra) -> bool {
        self.streams.iter().any(|stream| stream.packages.contains(package))
    }

    /// Whether a node without enabled modules does not see `package`.
    pub fn hides(&self, package: &Nevra) -> bool {
        let is_default = |stream: &&Stream| self.defaults.get(&stream.module) == Some(&stream.name);
        if self.contains(package) {
            return !self
                .streams
                .iter()
                .filter(is_default)
                .any(|stream| stream.packages.contains(package));
        }
        self.streams
            .iter()
            .filter(is_default)
            .any(|stream| stream.packages.iter().any(|other| other.name == package.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "---
document: modulemd
version: 2
data:
  name: container-tools
  stream: rhel8
  artifacts:
    rpms:
    - runc-1:1.1.12-1.module_el8.x86_64
    - container-selinux-2:2.229.0-1.module_el8.noarch
---
document: modulemd
version: 2
data:
  name: container-tools
  stream: \"1.0\"
  artifacts:
    rpms: [runc-0:1.0.0-56.module_el8.x86_64]
---
document: modulemd-defaults
version: 1
data:
  module: container-tools
  stream: rhel8
";

    #[test]
    fn a_quote_in_the_first_column_is_read() {
        let text = "document: modulemd\ndata:\n  name: m\n  stream: s\n  components:\n    rpms:\n      a:\n        rationale: 'Some text\n          on lines.\n\n'\n  artifacts:\n    rpms: [a-0:1-1.x86_64]\n";
        let mut modules = Modules::default();
        modules.add(text).unwrap();
        assert!(modules.contains(&"a-1-1.x86_64".parse().unwrap()));
    }

    #[test]
    fn default_streams_are_seen_and_hide_their_namesakes() {
        let mut modules = Modules::default();
        modules.add(YAML).unwrap();
        let hides = |text: &str| modules.hides(&text.parse().unwrap());
        assert!(!hides("runc-1:1.1.12-1.module_el8.x86_64"));
        assert!(hides("runc-1.0.0-56.module_el8.x86_64"));
        assert!(hides("container-selinux-2:2.300-1.el8.noarch"));
        assert!(!hides("bash-4.4-1.el8.x86_64"));
        assert!(modules.contains(&"runc-1.0.0-56.module_el8.x86_64".parse().unwrap()));
    }
}
