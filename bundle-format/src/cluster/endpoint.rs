//! The API server's endpoint, and the names of other servers.

use crate::yaml::quoted;

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
        return Err(format!(
            "{} is an address of IPv6, and nodes find each other by IPv4: {CURE}",
            quoted(text)
        ));
    }
    match is_host(text) && !text.contains(':') {
        true => Err(format!("{} has no port: write `{text}:6443`", quoted(text))),
        false => Err(format!("{} is no HOST:PORT: {CURE}", quoted(text))),
    }
}

/// Whether a text is the name or the address of a server.
pub(super) fn check_host(text: &str) -> Result<(), String> {
    if is_host(text) {
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
    is_host(host) && !host.contains(':') && digits && port.parse::<u16>().is_ok_and(|one| one > 0)
}

/// Whether a text is a name or an address, of IPv4 or IPv6.
fn is_host(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    let first = |first: char| first.is_ascii_alphanumeric() || first == ':';
    text.starts_with(first) && text.bytes().all(inner)
}
