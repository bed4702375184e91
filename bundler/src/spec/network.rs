//! An IP network, as the network of pods is one.

use std::fmt;
use std::str::FromStr;

use bundle_format::cluster::endpoint::IPV4_ONLY;
use ipnet::IpNet;
use serde::Deserialize;

/// A network: `10.244.0.0/16`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

/// Why a text is not a network.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NetworkError {
    /// It is not an address with a prefix length.
    #[error("`{0}` is not a network: write one such as 10.244.0.0/16")]
    Malformed(String),
    /// It is of IPv6.
    #[error("`{0}` is an IPv6 network, and {IPV4_ONLY}: write one such as 10.244.0.0/16")]
    OfIpv6(String),
    /// It is the address of a machine in a network, not the network's own.
    #[error("`{0}` is an address in a network: write {1}")]
    HostBits(String, IpNet),
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let network: IpNet = text.parse().map_err(|_| NetworkError::Malformed(text.to_owned()))?;
        if matches!(network, IpNet::V6(_)) {
            return Err(NetworkError::OfIpv6(text.to_owned()));
        }
        match network.trunc() {
            whole if whole == network => Ok(Self(network)),
            whole => Err(NetworkError::HostBits(text.to_owned(), whole)),
        }
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
