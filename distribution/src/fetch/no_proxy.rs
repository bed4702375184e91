//! `NO_PROXY`: the hosts that are reached without a proxy. The HTTP library knows
//! only some forms of its entries. This reads those of curl, Go and wget. This machine itself is
//! reached without one in any case, as in Go (`golang.org/x/net/http/httpproxy`): a proxy would
//! ask itself, and see what was not to leave the machine.

use std::env;
use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use super::loopback::is_loopback;

/// The entries of `NO_PROXY`.
#[derive(Debug, Default)]
pub(super) struct NoProxy {
    entries: Vec<Entry>,
    mistake: Option<String>,
}

#[derive(Debug)]
struct Entry {
    what: What,
    port: Option<u16>,
}

#[derive(Debug)]
enum What {
    All,
    Network(IpNet),
    /// A domain, with all names below it.
    Domain(String),
}

impl NoProxy {
    /// The entries of `NO_PROXY`, or of `no_proxy` if that is not set.
    pub(super) fn of_environment() -> Self {
        let texts = ["NO_PROXY", "no_proxy"].map(|name| env::var(name).unwrap_or_default());
        Self::parse(texts.iter().find(|text| !text.trim().is_empty()).map_or("", String::as_str))
    }

    /// Reads entries with commas or spaces between them: `*`, a domain (with or
    /// without `.` or `*.` before it), an address or a network. Each may have a
    /// port.
    pub(super) fn parse(text: &str) -> Self {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace());
        let entries: Vec<&str> = entries.filter(|entry| !entry.is_empty()).collect();
        let mistake = entries.iter().find(|entry| is_mistaken(entry)).map(|entry| {
            format!(
                "`{entry}` in NO_PROXY is no host and no network: write a name such as \
                 `registry.site`, a domain such as `.site`, an address, or a network such as \
                 `10.0.0.0/8`"
            )
        });
        Self { entries: entries.into_iter().map(entry).collect(), mistake }
    }

    /// A mistake in it: an entry that fits no URL.
    pub(super) fn mistake(&self) -> Option<String> {
        self.mistake.clone()
    }

    /// Whether `url` is reached without a proxy.
    pub(super) fn has(&self, url: &Url) -> bool {
        if is_loopback(url) {
            return true;
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        let name = url.host_str().unwrap_or_default().trim_end_matches('.');
        let port = url.port_or_known_default();
        self.entries.iter().filter(|entry| entry.port.is_none() || entry.port == port).any(
            |entry| match &entry.what {
                What::All => true,
                What::Network(network) => address.is_some_and(|address| network.contains(&address)),
                What::Domain(domain) => address.is_none() && is_in(name, domain),
            },
        )
    }
}

/// Whether an entry has the slash of a URL or of a network, and is neither a name nor
/// a network.
fn is_mistaken(entry: &str) -> bool {
    entry.contains('/') && matches!(self::entry(entry).what, What::Domain(_))
}

/// Whether `name` is `domain` or below it. A URL's host is in lower case.
fn is_in(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn entry(text: &str) -> Entry {
    let network = |text: &str| {
        let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
    };
    if let Some(network) = network(text) {
        return Entry { what: What::Network(network), port: None };
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (text, None),
        },
        None => (text, None),
    };
    let what = match (host, network(host)) {
        ("*", _) => What::All,
        (_, Some(network)) => What::Network(network),
        _ => {
            let domain = host.strip_prefix('*').unwrap_or(host).trim_matches('.');
            What::Domain(domain.to_ascii_lowercase())
        }
    };
    Entry { what, port }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_in_use_is_read() {
        let cases: [(&str, &[&str], &[&str]); 12] = [
            ("", &["http://localhost:1", "http://127.0.0.1"], &["http://a.io", "http://10.0.0.1"]),
            ("*", &["http://a.io", "http://10.0.0.1:5000", "https://[fd00::1]/"], &[]),
            ("b.io, *", &["http://a.io", "http://10.0.0.1"], &[]),
            ("a.io", &["http://a.io", "http://x.A.io:5000"], &["http://ba.io", "http://a.io.b"]),
            (".a.io", &["http://a.io", "http://x.a.io"], &["http://ba.io"]),
            ("*.a.io", &["http://a.io", "http://x.y.a.io"], &["http://b.io"]),
            ("LAN b.io\tc.io", &["http://r.lan", "http://b.io", "http://c.io."], &["http://d.io"]),
            (
                "10.0.0.0/8,fd00::/8",
                &["http://10.1.2.3:80", "http://[fd00::1]"],
                &["http://11.0.0.1"],
            ),
            ("10.0.0.7", &["http://10.0.0.7:5000"], &["http://10.0.0.70", "http://x.10.0.0.7.io"]),
            (
                "fd00::2,[fd00::1]:5000",
                &["http://[fd00::2]:9", "http://[fd00::1]:5000"],
                &["http://[fd00::1]"],
            ),
            ("a.io:5000", &["http://a.io:5000", "http://b.a.io:5000"], &["http://a.io"]),
            ("a.io:443,10.0.0.1:80", &["https://a.io", "http://10.0.0.1"], &["http://a.io"]),
        ];
        for (text, direct, proxied) in cases {
            let no_proxy = NoProxy::parse(text);
            for url in direct {
                assert!(no_proxy.has(&url.parse().unwrap()), "`{text}` has {url}");
            }
            for url in proxied {
                assert!(!no_proxy.has(&url.parse().unwrap()), "`{text}` has not {url}");
            }
        }
    }
}
