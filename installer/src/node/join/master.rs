//! The masters that the API server knows.

use std::net::IpAddr;

use anyhow::{Context, bail};
use bundle_format::cluster::NodeName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::host::Host;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;

/// A master of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Master {
    /// Its name in the cluster.
    pub name: NodeName,
    /// Its address.
    pub address: IpAddr,
}

impl Master {
    /// All masters. kubeadm labels them.
    pub(crate) fn registered(host: &Host) -> anyhow::Result<Vec<Self>> {
        let said = host.query(&format!(
            "{} --request-timeout 10s get nodes --selector node-role.kubernetes.io/control-plane \
             --output=json",
            kubectl(ADMIN_CONF)
        ));
        if !said.succeeded() {
            bail!("the API server does not say which nodes are masters: {}", said.end());
        }
        let list: Value = serde_json::from_str(&said.stdout).context("reading the masters")?;
        let items = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(items.iter().filter_map(Self::of_node).collect())
    }

    /// Reads a node object of the API server.
    fn of_node(node: &Value) -> Option<Self> {
        let name = node.pointer("/metadata/name")?.as_str()?.to_owned().try_into().ok()?;
        let addresses = node.pointer("/status/addresses")?.as_array()?;
        let own = addresses.iter().find(|address| address["type"] == "InternalIP")?;
        Some(Self { name, address: own["address"].as_str()?.parse().ok()? })
    }

    /// Whether an endpoint, `HOST:PORT`, is this machine's own name or address. Then it
    /// is lost with the machine.
    pub(crate) fn owns(&self, endpoint: &str) -> bool {
        let host = endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host);
        match host.parse::<IpAddr>() {
            Ok(address) => address == self.address,
            Err(_) => host.eq_ignore_ascii_case(&self.name.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_machines_own_by_name_or_address() {
        let master =
            Master { name: "m1".to_owned().try_into().unwrap(), address: [10, 0, 0, 2].into() };
        for (endpoint, is_own) in [
            ("10.0.0.2:6443", true),
            ("M1:6443", true),
            ("10.0.0.20:6443", false),
            ("api.site:6443", false),
            ("m1.site:6443", false),
        ] {
            assert_eq!(master.owns(endpoint), is_own, "{endpoint}");
        }
    }

    #[test]
    fn the_api_servers_words_are_read() {
        let node = serde_json::json!({"metadata": {"name": "b"}, "status": {"addresses": [
            {"type": "Hostname", "address": "b"}, {"type": "InternalIP", "address": "10.0.0.3"}]}});
        let read = Master::of_node(&node).unwrap();
        assert_eq!((String::from(read.name), read.address), ("b".to_owned(), [10, 0, 0, 3].into()));
    }
}
