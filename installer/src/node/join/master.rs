//! A master of the cluster.

use std::net::IpAddr;

use bundle_format::cluster::NodeName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
}
