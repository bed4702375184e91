//! What identifies a machine. Two machines with the same IDs are copies of one.

use bundle_format::cluster::NodeName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::host::Host;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;

/// A machine of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Machine {
    /// Its name in the cluster.
    pub name: NodeName,
    /// Its `/etc/machine-id`; empty if it has none.
    pub machine_id: String,
    /// Its firmware's `product_uuid`; empty if it has none.
    pub product_uuid: String,
}

impl Machine {
    /// This node.
    pub fn of(host: &Host, name: &NodeName) -> anyhow::Result<Self> {
        let text = |path: &str| anyhow::Ok(host.read(path)?.unwrap_or_default().trim().to_owned());
        Ok(Self {
            name: name.clone(),
            machine_id: text("/etc/machine-id")?,
            product_uuid: text("/sys/class/dmi/id/product_uuid")?,
        })
    }

    /// All machines that the API server knows; none if it does not answer.
    pub fn registered(host: &Host) -> Vec<Self> {
        let said = host.query(&format!(
            "{} --request-timeout 10s get nodes --output=json",
            kubectl(ADMIN_CONF)
        ));
        let list: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
        let items = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        items.iter().filter_map(Self::of_node).collect()
    }

    /// Reads a node object of the API server.
    fn of_node(node: &Value) -> Option<Self> {
        let text = |pointer: &str| Some(node.pointer(pointer)?.as_str()?.to_owned());
        Some(Self {
            name: text("/metadata/name")?.try_into().ok()?,
            machine_id: text("/status/nodeInfo/machineID").unwrap_or_default(),
            product_uuid: text("/status/nodeInfo/systemUUID").unwrap_or_default(),
        })
    }

    /// Whether both have the same machine ID.
    pub fn has_id_of(&self, other: &Self) -> bool {
        !matches!(self.machine_id.as_str(), "" | "uninitialized")
            && self.machine_id == other.machine_id
    }

    /// Whether both have the same UUID. UUIDs that a vendor left unset do not
    /// count: they have few different digits, or are known defaults.
    pub fn has_uuid_of(&self, other: &Self) -> bool {
        let own = self.product_uuid.to_lowercase();
        let mut digits: Vec<char> = own.chars().filter(char::is_ascii_hexdigit).collect();
        digits.sort_unstable();
        digits.dedup();
        digits.len() > 2
            && own != "03000200-0400-0500-0006-000700080009"
            && own == other.product_uuid.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(machine_id: &str, product_uuid: &str) -> Machine {
        let [machine_id, product_uuid] = [machine_id, product_uuid].map(str::to_owned);
        Machine { name: "a".to_owned().try_into().unwrap(), machine_id, product_uuid }
    }

    #[test]
    fn copies_are_known_and_blanks_are_none() {
        let one = machine("3d12", "4C4C4544-0044");
        assert!(one.has_id_of(&machine("3d12", "")) && !one.has_id_of(&machine("3d13", "")));
        assert!(one.has_uuid_of(&machine("", "4c4c4544-0044")));
        for blank in ["", "00000000-0000", "FFFFFFFF-FFFF", "03000200-0400-0500-0006-000700080009"]
        {
            assert!(!machine("", blank).has_uuid_of(&machine("", blank)), "{blank}");
        }
        for blank in ["", "uninitialized"] {
            assert!(!machine(blank, "").has_id_of(&machine(blank, "")), "{blank}");
        }
    }

    #[test]
    fn the_api_servers_words_are_read() {
        let node = serde_json::json!({"metadata": {"name": "b"}, "status": {"nodeInfo":
            {"machineID": "3d12", "systemUUID": "4c4c"}}});
        let read = Machine::of_node(&node).unwrap();
        assert_eq!((read.machine_id.as_str(), read.product_uuid.as_str()), ("3d12", "4c4c"));
        assert_eq!(String::from(read.name), "b");
    }
}
