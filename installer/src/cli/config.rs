//! `installer config`: the effective cluster file, with the origin of each value. Its
//! output can be used as a cluster file.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use bundle_format::cluster::Cluster;
use bundle_format::text::{printable, stderr};
use serde_json::{Map, Value};

use super::node;
use super::options::Aim;
use super::output::print;
use super::sources::Sources;
use crate::node::facts::Facts;

const GUESSED: &str = "guessed from the node";

pub(crate) fn config(aim: &Aim, root: Option<&Path>) -> anyhow::Result<()> {
    let host = node::host(root)?;
    let defaults = || Ok(node::of_bundle(&node::bundle_for(&aim.source(), root)?));
    let sources = Sources::read(aim, node::restore(aim)?, node::join(&host, aim)?, defaults)?;
    let mut cluster = sources.cluster()?;
    let facts = Facts::gather(&host)?;
    let address = node::address(&facts, aim, sources.shared_address(&cluster), root)?;
    let name = node::name(&facts, aim, &cluster, address)?;
    if let Some(words) = node::stranger(&cluster, address, &name) {
        drop(writeln!(stderr(), "note: {}", printable(&words)));
    }
    let of_name = if aim.node_name.is_some() {
        "--node-name"
    } else if cluster.nodes.iter().any(|node| node.address == address) {
        sources.of("nodes")
    } else {
        GUESSED
    };
    let of_address = if aim.address.is_some() { "--address" } else { GUESSED };
    let mut text = format!("# a {}: {name} # {of_name}\n# at {address} # {of_address}\n", aim.role);
    let joined = sources.join.as_ref().map(|join| join.endpoint.clone());
    let of_endpoint = match (&joined, &cluster.endpoint, &cluster.control_plane) {
        (None, None, None) => GUESSED,
        (None, None, Some(_)) => sources.of("controlPlane"),
        _ => sources.of("endpoint"),
    };
    let endpoint = joined.or(cluster.told_endpoint());
    cluster.endpoint = Some(endpoint.unwrap_or_else(|| format!("{address}:6443")));
    text += &described(&cluster, |key| match key {
        "endpoint" => of_endpoint,
        _ => sources.of(key),
    })?;
    print(&text)
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
}
