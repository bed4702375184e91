//! The name of a network interface.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a network interface, or an expression for several: `eth1`, `ens.*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "interface"))]
pub struct Interface(String);

impl TryFrom<String> for Interface {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*,".contains(&byte);
        if !text.is_empty() && !text.starts_with('-') && text.bytes().all(inner) {
            return Ok(Self(text));
        }
        Err(format!("`{text}` is no interface; write `eth1`, or `ens.*` for several"))
    }
}

impl From<Interface> for String {
    fn from(interface: Interface) -> Self {
        interface.0
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
