//! The name of a network interface.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a network interface, or an expression for several: `eth1`, `ens.*`. More
/// than one are parted by commas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "interface"))]
pub struct Interface(String);

impl TryFrom<String> for Interface {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.split(',').all(is_one) {
            return Ok(Self(text));
        }
        Err(format!("`{text}` is no interface; write `eth1`, or `ens.*` for several"))
    }
}

/// Whether a text is a name, or an expression. A `*` alone, as shells have it, means
/// something else in an expression: in `eth*`, any number of `h`.
fn is_one(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte);
    !text.is_empty()
        && !text.starts_with('-')
        && text.bytes().all(inner)
        && !text.replace(".*", "").contains('*')
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_an_expression() {
        let is_taken = |text: &str| Interface::try_from(text.to_owned()).is_ok();
        for good in ["eth0", "bond0.100", "ens.*", "eth0,eth1", "eth.*,bond0"] {
            assert!(is_taken(good), "{good}");
        }
        for bad in ["", "*", "**", ",", "eth0,", "eth*", "eth0;x", "-eth0", "eth0 eth1"] {
            assert!(!is_taken(bad), "{bad}");
        }
    }
}
