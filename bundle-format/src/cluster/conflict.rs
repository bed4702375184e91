//! What does not go together in a cluster file, each value of which can be read.

use std::collections::BTreeSet;
use std::fmt;

use super::{Cluster, Given, networks};

/// A value that does not go together with another, or with kubeadm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Its key in the cluster file.
    pub key: &'static str,
    what: String,
    cure: String,
}

impl Conflict {
    pub(crate) fn new(key: &'static str, what: String, cure: impl Into<String>) -> Self {
        Self { key, what, cure: cure.into() }
    }

    /// What to do.
    pub fn cure(&self) -> &str {
        &self.cure
    }
}

/// What is wrong.
impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Cluster {
    /// All that does not go together: the networks must be such as kubeadm takes, and
    /// not overlap with each other or with the machines; names must be those of
    /// machines.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut found = networks::conflicts(self);
        found.extend(self.ingress_nodes.iter().filter(|names| names.is_empty()).map(|_| {
            Conflict::new(
                "ingressNodes",
                "ingressNodes is empty".to_owned(),
                "name a machine of `nodes`, or write `ingress: false`",
            )
        }));
        let known: BTreeSet<_> = self.nodes.iter().map(|node| &node.name).collect();
        let names = self.ingress_nodes.iter().flatten();
        let unknown = names.filter(|name| !known.contains(name));
        found.extend(unknown.map(|name| {
            Conflict::new(
                "ingressNodes",
                format!("ingressNodes names {name}, and nodes has no such machine"),
                format!("write `{{name: {name}, address: …}}` under nodes, or another name here"),
            )
        }));
        found
    }
}

impl Given {
    /// As [`Cluster::conflicts`], where the other keys have their defaults. Names
    /// of machines are nothing to go by where others are still to say which there
    /// are.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut found = self.cluster().conflicts();
        found.retain(|conflict| {
            conflict.key != "ingressNodes"
                || self.has("nodes")
                || self.cluster().ingress_nodes.as_ref().is_some_and(Vec::is_empty)
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<&'static str> {
        let given: Given = serde_json::from_str(text).unwrap();
        given.conflicts().iter().map(|conflict| conflict.key).collect()
    }

    #[test]
    fn the_ingress_runs_on_machines_that_are_known() {
        let of =
            |ingress: &str, nodes: &str| keys(&format!(r#"{{"ingressNodes": {ingress} {nodes}}}"#));
        let nodes = r#", "nodes": [{"name": "a", "address": "10.0.0.2"}]"#;
        assert_eq!(of(r#"["a"]"#, nodes), [""; 0]);
        assert_eq!(of(r#"["a", "b"]"#, nodes), ["ingressNodes"]);
        assert_eq!(of("[]", nodes), ["ingressNodes"]);
        assert_eq!(of("[]", ""), ["ingressNodes"]);
        assert_eq!(of(r#"["b"]"#, ""), [""; 0], "another file has the machines");
        let alone: Given = serde_json::from_str(r#"{"ingressNodes": ["b"]}"#).unwrap();
        let whole = Cluster::of(&[&alone]).unwrap();
        assert_eq!(
            whole.conflicts()[0].to_string(),
            "ingressNodes names b, and nodes has no such machine"
        );
    }
}
