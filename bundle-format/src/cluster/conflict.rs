//! What does not go together in a cluster file, each value of which is right by
//! itself.

use std::fmt;
use std::net::IpAddr;

use super::{Cluster, Given};

/// Two values that do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The key of one of them, in the cluster file.
    pub key: &'static str,
    what: String,
    cure: String,
}

impl Conflict {
    fn new(key: &'static str, what: String, cure: impl Into<String>) -> Self {
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
    /// All that does not go together: the networks must not overlap, with each
    /// other or with the machines, and names must be those of machines.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut found = Vec::new();
        let (pods, services) = (self.pod_cidr, self.service_cidr);
        if pods.contains(&services) || services.contains(&pods) {
            found.push(Conflict::new(
                "podCidr",
                format!("podCidr {pods} and serviceCidr {services} overlap"),
                "choose two networks that do not",
            ));
        }
        for node in &self.nodes {
            let IpAddr::V4(address) = node.address else { continue };
            for (key, network) in [("podCidr", pods), ("serviceCidr", services)] {
                if network.contains(&address) {
                    found.push(Conflict::new(
                        key,
                        format!("{key} {network} has the address of {}, {address}", node.name),
                        format!("choose another {key}"),
                    ));
                }
            }
        }
        found.extend(self.ingress_nodes.iter().filter(|names| names.is_empty()).map(|_| {
            Conflict::new(
                "ingressNodes",
                "ingressNodes is empty".to_owned(),
                "name a machine of `nodes`, or write `ingress: false`",
            )
        }));
        let names = self.ingress_nodes.iter().flatten();
        let unknown = names.filter(|name| !self.nodes.iter().any(|node| node.name == **name));
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
    fn networks_overlap_with_nothing() {
        assert_eq!(keys("{}"), [""; 0]);
        assert_eq!(keys(r#"{"podCidr": "10.100.0.0/16"}"#), ["podCidr"]);
        let nodes =
            |keys: &str| format!(r#"{{{keys} "nodes": [{{"name": "a", "address": "10.0.0.2"}}]}}"#);
        assert_eq!(keys(&nodes(r#""podCidr": "10.0.0.0/16","#)), ["podCidr"]);
        assert_eq!(keys(&nodes(r#""serviceCidr": "10.0.0.0/16","#)), ["serviceCidr"]);
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
