//! An IP network, as the network of pods is one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::Deserialize;

/// A network: `10.244.0.0/16`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    length: u32,
}

/// Why a text is not a network.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NetworkError {
    /// It is not an address with a prefix length.
    #[error("`{0}` is not a network: write one such as 10.244.0.0/16")]
    Malformed(String),
    /// It is the address of a machine in a network, not the network's own.
    #[error("`{0}` is an address in a network: write {1}")]
    HostBits(String, Network),
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let fail = || NetworkError::Malformed(text.to_owned());
        let (address, length) = text.split_once('/').ok_or_else(fail)?;
        let address: IpAddr = address.parse().map_err(|_| fail())?;
        let length: u32 = length.parse().map_err(|_| fail())?;
        let network = Self { address: first(address, length).ok_or_else(fail)?, length };
        if network.address != address {
            return Err(NetworkError::HostBits(text.to_owned(), network));
        }
        Ok(network)
    }
}

/// The first address of the network that contains `address`.
fn first(address: IpAddr, length: u32) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => {
            let rest = u32::MAX.checked_shr(length).unwrap_or(0);
            (length <= 32).then(|| Ipv4Addr::from_bits(address.to_bits() & !rest))?.into()
        }
        IpAddr::V6(address) => {
            let rest = u128::MAX.checked_shr(length).unwrap_or(0);
            (length <= 128).then(|| Ipv6Addr::from_bits(address.to_bits() & !rest))?.into()
        }
    })
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}
