//! Whether a URL stays on this machine.

use std::net::{IpAddr, Ipv4Addr};

use url::{Host, Url};

/// Whether the host of `url` is this machine by its own name or address for itself.
pub fn is_loopback(url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        // It may have an address of version 4 in it.
        Some(Host::Ipv6(address)) => address.to_canonical(),
        Some(Host::Domain("localhost")) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(Host::Domain(_)) | None => return false,
    };
    address.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names() {
        for (url, is_own) in [
            ("http://localhost:5000/", true),
            ("http://127.0.0.1/", true),
            ("http://127.1:80/", true),
            ("http://[::1]/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://localhost.example/", false),
            ("http://127.0.0.1.example/", false),
            ("http://128.0.0.1/", false),
            ("http://[fd00::1]/", false),
            ("file:///etc/hosts", false),
        ] {
            assert_eq!(is_loopback(&url.parse().unwrap()), is_own, "{url}");
        }
    }
}
