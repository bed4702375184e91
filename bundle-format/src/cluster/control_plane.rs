//! One address for all masters, which one of them holds at a time.

use std::fmt;
use std::net::Ipv4Addr;
use std::num::NonZeroU8;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The API server's port. kubeadm is told no other.
pub(super) const PORT: &str = "6443";

/// How the other machines reach the control plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ControlPlane {
    /// The address that moves between the masters.
    #[schemars(with = "String", extend("format" = "ip"))]
    pub vip: Ipv4Addr,
    /// The interface that gets it. If left out, the one with the node's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<InterfaceName>,
    /// The number by which VRRP tells it from other addresses of the network. If left
    /// out, the last part of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router_id: Option<NonZeroU8>,
}

impl ControlPlane {
    /// The API server at this address, `HOST:PORT`.
    pub fn endpoint(&self) -> String {
        format!("{}:{PORT}", self.vip)
    }

    /// VRRP's number of it. Two clusters in one network mostly differ in the last part
    /// of the address. A last part of 0, which is possible in a network larger than
    /// /24, becomes 255.
    pub fn router_id(&self) -> u8 {
        let own = NonZeroU8::new(self.vip.octets()[3]).unwrap_or(NonZeroU8::MAX);
        self.router_id.unwrap_or(own).get()
    }
}

/// The name of one network interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "interface-name"))]
pub struct InterfaceName(String);

impl TryFrom<String> for InterfaceName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // The kernel takes 15 characters (IFNAMSIZ).
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let starts = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        if starts && text.len() <= 15 && text.bytes().all(inner) {
            return Ok(Self(text));
        }
        Err(format!("`{text}` is no name of an interface; write one such as `eth0`"))
    }
}

impl From<InterfaceName> for String {
    fn from(name: InterfaceName) -> Self {
        name.0
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for InterfaceName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_comes_from_the_address() {
        let of = |text: &str| serde_json::from_str::<ControlPlane>(text).unwrap().router_id();
        assert_eq!(of(r#"{"vip": "10.0.0.100"}"#), 100);
        assert_eq!(of(r#"{"vip": "10.0.1.0"}"#), 255);
        assert_eq!(of(r#"{"vip": "10.0.0.100", "routerId": 7}"#), 7);
    }

    #[test]
    fn an_interface_is_one() {
        let is_taken = |text: &str| InterfaceName::try_from(text.to_owned()).is_ok();
        for good in ["eth0", "bond0.100", "enp0s31f6", "br-lan"] {
            assert!(is_taken(good), "{good}");
        }
        for bad in ["", "-eth0", "eth0,eth1", "ens.*", "eth0 eth1", "eth0:1", "abcdefghijklmnop"] {
            assert!(!is_taken(bad), "{bad}");
        }
    }
}
