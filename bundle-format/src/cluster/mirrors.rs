//! The site's mirrors of registries.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv6Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::IPV4_ONLY;

/// The mirrors of each registry, in the order in which they are tried.
pub type Mirrors = BTreeMap<RegistryHost, Vec<MirrorUrl>>;

/// A registry as it is written in image names: `docker.io`, `registry.site:5000`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "registry-host"))]
pub struct RegistryHost(String);

impl TryFrom<String> for RegistryHost {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // In containerd, this name stands for all other registries.
        if text == "_default" || is_host(&text) {
            return Ok(Self(text));
        }
        if is_of_ipv6(&text) {
            return Err(format!("`{text}` is an IPv6 address, and {IPV4_ONLY}: write a name"));
        }
        Err(format!("`{text}` is no registry; write HOST or HOST:PORT as in an image's name"))
    }
}

impl From<RegistryHost> for String {
    fn from(host: RegistryHost) -> Self {
        host.0
    }
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A mirror's URL: `https://mirror.site:5000`. It has a path if the mirror's API
/// begins below one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "mirror-url"))]
pub struct MirrorUrl(String);

impl MirrorUrl {
    /// Whether its API begins below a path.
    pub fn has_path(&self) -> bool {
        let after = self.0.split_once("://").map_or("", |(_, after)| after);
        after.split_once('/').is_some_and(|(_, path)| !path.is_empty())
    }
}

impl TryFrom<String> for MirrorUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let after = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let (host, path) =
            after.map_or(("", ""), |after| after.split_once('/').unwrap_or((after, "")));
        let is_path =
            path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./~%".contains(&byte));
        if is_host(host) && is_path {
            return Ok(Self(text));
        }
        if is_of_ipv6(host) {
            return Err(format!(
                "`{text}` has an IPv6 address, and {IPV4_ONLY}: write the mirror's name"
            ));
        }
        Err(format!(
            "`{text}` is no mirror; write https://HOST:PORT, with no user and no password: all \
             nodes read this file"
        ))
    }
}

impl From<MirrorUrl> for String {
    fn from(url: MirrorUrl) -> Self {
        url.0
    }
}

impl fmt::Display for MirrorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "443"));
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    port.parse::<u16>().is_ok()
        && host.bytes().all(inner)
        && host.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// `fd00::1`, `[fd00::1]:5000`.
fn is_of_ipv6(text: &str) -> bool {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split(']').next());
    bare.unwrap_or(text).parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_urls_are_checked() {
        for good in ["docker.io", "r.site:5000", "_default", "10.0.0.1"] {
            assert!(RegistryHost::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "../etc", "a/b", "https://a", "a:port", "."] {
            assert!(RegistryHost::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        for (good, has_path) in
            [("https://m:5000", false), ("http://m/", false), ("https://m/v2/proxy", true)]
        {
            assert_eq!(MirrorUrl::try_from(good.to_owned()).unwrap().has_path(), has_path);
        }
        for text in ["fd00::1", "[fd00::1]", "[fd00::1]:5000"] {
            let told = RegistryHost::try_from(text.to_owned()).unwrap_err();
            assert!(told.contains("IPv6 address, and "), "{told}");
        }
        for text in ["https://[fd00::1]:5000", "http://[::1]/v2", "https://fd00::1"] {
            let told = MirrorUrl::try_from(text.to_owned()).unwrap_err();
            assert!(told.contains("IPv6 address, and "), "{told}");
        }
        for bad in ["m:5000", "ftp://m", "https://me:word@m", "https://", "https://m/\"x"] {
            assert!(MirrorUrl::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
