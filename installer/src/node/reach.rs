//! Whether the node reaches an address.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::host::Host;

/// How long the API server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether something accepts connections at `HOST:PORT`.
pub(crate) fn answers(host: &Host, endpoint: &str) -> bool {
    let addresses = addresses(host, endpoint);
    addresses.iter().any(|one| TcpStream::connect_timeout(one, PATIENCE).is_ok())
}

/// The addresses of `HOST:PORT`. `getent` resolves names by the node's own settings;
/// a static program has no resolver that reads all of them.
pub(crate) fn addresses(host: &Host, endpoint: &str) -> Vec<SocketAddr> {
    if let Ok(address) = endpoint.parse() {
        return vec![address];
    }
    let Some((name, port)) = endpoint.rsplit_once(':') else { return Vec::new() };
    let Ok(port) = port.parse() else { return Vec::new() };
    let said = host.query(&format!("getent ahosts {name}")).stdout;
    let first = said.lines().filter_map(|line| line.split_ascii_whitespace().next());
    first.filter_map(|word| Some(SocketAddr::new(word.parse::<IpAddr>().ok()?, port))).collect()
}
