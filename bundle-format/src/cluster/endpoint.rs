//! The API server's endpoint, and the names of other servers.

use std::net::Ipv6Addr;

use crate::yaml::quoted;

/// Why an IPv6 address is refused. One or two families are a choice that each part of
/// a cluster must share: kubeadm, kubelet, kube-proxy, the network of pods, and the
/// firewall.
pub const IPV4_ONLY: &str = "clusters here use IPv4 only";

/// Whether a text is `HOST:PORT`. A user name or a password is refused, because it
/// would be shown and written to files on all nodes.
pub fn check(text: &str) -> Result<(), String> {
    const CURE: &str = "write it like k8s-master:6443";
    if text.contains('@') {
        return Err(format!("an endpoint has no user and no password before `@`: {CURE}"));
    }
    if let Some((_, rest)) = text.split_once("://") {
        let rest = rest.split('/').next().unwrap_or_default();
        return Err(match is_endpoint(rest) {
            true => format!("{} is a URL: write {}", quoted(text), quoted(rest)),
            false => format!("{} is a URL: {CURE}", quoted(text)),
        });
    }
    if is_endpoint(text) {
        return Ok(());
    }
    if text.contains(['[', ']']) || text.matches(':').count() > 1 {
        return Err(format!("{} is an IPv6 address, and {IPV4_ONLY}: {CURE}", quoted(text)));
    }
    match is_host(text) {
        true => Err(format!("{} has no port: write `{text}:6443`", quoted(text))),
        false => Err(format!("{} is no HOST:PORT: {CURE}", quoted(text))),
    }
}

/// Whether a text is the name or the address of a server. It may be one of IPv6: only
/// chrony asks it.
pub(super) fn check_host(text: &str) -> Result<(), String> {
    if is_host(text) || text.parse::<Ipv6Addr>().is_ok() {
        return Ok(());
    }
    let cure = "write a name or an address alone, such as 192.168.1.254";
    if text.contains('@') {
        return Err(format!("a server has no user and no password before `@`: {cure}"));
    }
    Err(format!("{} is no host: {cure}", quoted(text)))
}

/// The host of an endpoint.
pub(super) fn host(endpoint: &str) -> Option<&str> {
    endpoint.rsplit_once(':').map(|(host, _)| host)
}

fn is_endpoint(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    is_host(host) && digits && port.parse::<u16>().is_ok_and(|one| one > 0)
}

/// Whether a text is a name, or an address of IPv4.
fn is_host(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(inner)
}
