//! `installer config`: the cluster file as it holds, with where each value is
//! from. It can be given as a cluster file again.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value};

use super::node;
use super::options::Aim;
use crate::cluster::Cluster;
use crate::facts::Facts;

const GUESSED: &str = "guessed from the node";

pub(crate) fn config(aim: &Aim, root: Option<&Path>) -> anyhow::Result<()> {
    let host = node::host(root)?;
    let join = node::join(aim)?;
    let mut cluster = node::cluster(aim, join.as_ref())?;
    let facts = Facts::gather(&host)?;
    let address = node::address(&facts, aim, root)?;
    let name = node::name(&facts, aim, &cluster, address)?;
    let origins =
        Origins { written: aim.config.as_deref().map(keys).transpose()?, joins: join.is_some() };
    let of_name = if aim.node_name.is_some() {
        "--node-name"
    } else if cluster.nodes.iter().any(|node| node.address == address) {
        origins.of("nodes")
    } else {
        GUESSED
    };
    let of_address = if aim.address.is_some() { "--address" } else { GUESSED };
    let mut text = format!("# a {}: {name} # {of_name}\n# at {address} # {of_address}\n", aim.role);
    let joined = join.map(|join| join.endpoint);
    let of_endpoint = match (&joined, &cluster.endpoint) {
        (None, None) => GUESSED,
        _ => origins.of("endpoint"),
    };
    let endpoint = joined.or(cluster.endpoint.take());
    cluster.endpoint = Some(endpoint.unwrap_or_else(|| format!("{address}:6443")));
    text += &described(&cluster, |key| match key {
        "endpoint" => of_endpoint,
        _ => origins.of(key),
    })?;
    std::io::stdout().write_all(text.as_bytes()).context("printing the cluster file")
}

/// Where values are from.
struct Origins {
    /// The keys in the cluster file, where one was given.
    written: Option<BTreeSet<String>>,
    /// Whether a join file was given.
    joins: bool,
}

impl Origins {
    /// A cluster file takes the place of the join file's, but for the endpoint,
    /// by which a worker joins.
    fn of(&self, key: &str) -> &'static str {
        match &self.written {
            _ if self.joins && key == "endpoint" => "join file",
            Some(written) if written.contains(key) => "cluster.yaml",
            None if self.joins => "join file",
            _ => "default",
        }
    }
}

/// The keys that stand in a cluster file.
fn keys(path: &Path) -> anyhow::Result<BTreeSet<String>> {
    let reading = || format!("reading {}", path.display());
    let text = std::fs::read_to_string(path).with_context(reading)?;
    let map: Option<Map<String, Value>> = serde_saphyr::from_str(&text).with_context(reading)?;
    Ok(map.into_iter().flatten().map(|(key, _)| key).collect())
}

/// Each key, with its origin at the end of its first line.
fn described(cluster: &Cluster, origin: impl Fn(&str) -> &'static str) -> anyhow::Result<String> {
    let value = serde_json::to_value(cluster).context("writing the cluster file")?;
    let mut text = String::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        let origin = origin(key);
        let one: Map<String, Value> = [(key.clone(), value.clone())].into_iter().collect();
        let lines = serde_saphyr::to_string(&one).context("writing the cluster file")?;
        let (first, rest) = lines.split_once('\n').unwrap_or((&lines, ""));
        text += &format!("{first} # {origin}\n{rest}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(text: &str) -> Cluster {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn it_can_be_given_again() {
        let cluster = cluster(
            "nodes: [{name: m, address: 10.0.0.1}, {name: w, address: 10.0.0.2}]\n\
             ntpServers: ['#1', b]\nkubelet: {a: 'x # y', b: {c: [1, 'yes']}}\n",
        );
        let text = described(&cluster, |_| "default").unwrap();
        assert_eq!(serde_saphyr::from_str::<Cluster>(&text).unwrap(), cluster, "{text}");
        assert!(text.contains("podCidr: 10.244.0.0/16 # default\n"), "{text}");
        assert!(text.contains("nodes: # default\n- name: m\n"), "{text}");
    }

    #[test]
    fn a_cluster_file_takes_the_place_of_the_join_files_but_for_the_endpoint() {
        let of = |written: Option<&[&str]>, joins| {
            let written = written.map(|keys| keys.iter().map(ToString::to_string).collect());
            let origins = Origins { written, joins };
            ["endpoint", "podCidr", "ingress"].map(|key| origins.of(key))
        };
        assert_eq!(of(None, false), ["default"; 3]);
        assert_eq!(of(None, true), ["join file"; 3]);
        let written = Some(&["podCidr"][..]);
        assert_eq!(of(written, false), ["default", "cluster.yaml", "default"]);
        assert_eq!(of(written, true), ["join file", "cluster.yaml", "default"]);
    }
}
