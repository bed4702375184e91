//! Where a bundle is in a registry: `oci://registry.site/kubeferry/demo:1.28.2`.

use std::fmt;
use std::str::FromStr;

use bundle_format::ImageReference;
use bundle_format::secret::hidden;

/// What an address begins with.
const SCHEME: &str = "oci://";

/// A repository with a tag or a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(pub ImageReference);

impl Address {
    /// The registry.
    pub fn host(&self) -> &str {
        self.0.registry()
    }

    /// The tag or the digest, as the registry's URLs have it.
    pub fn name(&self) -> String {
        match (self.0.digest(), self.0.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or("latest").to_owned(),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix(SCHEME);
        let rest = rest.ok_or("write oci://HOST/REPOSITORY:TAG, with `oci://` at its beginning")?;
        let reference: ImageReference =
            rest.parse().map_err(|_| format!("`{}` {}", hidden(rest), told(rest)))?;
        // Otherwise a forgotten host would mean Docker Hub, and a forgotten tag `latest`.
        if !rest.starts_with(&format!("{}/", reference.registry())) {
            return Err(format!(
                "`{rest}` names no registry; write oci://HOST/REPOSITORY:TAG, with a dot or a port \
                 in HOST, such as registry:443"
            ));
        }
        if !is_port_right(reference.registry()) {
            return Err(format!("`{rest}` {PORT}"));
        }
        let repository = rest.rsplit('/').next().unwrap_or_default();
        if !repository.contains([':', '@']) {
            return Err(format!("`{rest}` has no tag; write oci://HOST/REPOSITORY:TAG"));
        }
        Ok(Self(reference))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.0)
    }
}

/// What is wrong with a port.
const PORT: &str = "has a port that is no number up to 65535";

fn told(text: &str) -> &'static str {
    fault(text).unwrap_or(
        "is no place in a registry: write HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…",
    )
}

/// What is wrong with a text that is no name of a repository, if that is plain.
pub fn fault(text: &str) -> Option<&'static str> {
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let repository = path.split(['@', ':']).next().unwrap_or_default();
    Some(match host {
        _ if host.contains('@') => {
            "has a user before the host: leave it out, and log in with `docker login`"
        }
        _ if host.starts_with('[') => {
            "has an address of IPv6, which cannot stand here: write the name of that host"
        }
        _ if host.starts_with(':') => "has no host before the port",
        _ if host.split_once(':').is_some_and(|(_, port)| !digits(port)) => PORT,
        _ if repository.chars().any(char::is_uppercase) => {
            "has capital letters in its repository: write small ones"
        }
        _ => return None,
    })
}

/// Whether the port of a host can be one, if it has a port.
fn is_port_right(host: &str) -> bool {
    host.split_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_tag_are_never_guessed() {
        for text in ["oci://r.io/a/b:t", "oci://127.0.0.1:5000/a:t", "oci://localhost/a:1"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        let digest = format!("oci://r.io/a@sha256:{}", "0".repeat(64));
        assert_eq!(digest.parse::<Address>().unwrap().name(), digest.split_once('@').unwrap().1);
        for (text, words) in [
            ("r.io/a:t", "oci://"),
            ("https://r.io/a:t", "oci://"),
            ("oci://a/b:t", "with a dot or a port in HOST"),
            ("oci://r.io/a", "no tag"),
            ("oci://r.io:5000/a", "no tag"),
            ("oci://r.io/A:t", "capital letters"),
            ("oci://", "is no place in a registry: write HOST/REPOSITORY:TAG"),
            ("oci://r.io/a//b:t", "is no place in a registry"),
            ("oci://:5000/a:t", "no host before the port"),
            ("oci://[::1]:5000/a:t", "an address of IPv6"),
            ("oci://http://r.io/a:t", "is no place in a registry"),
            ("oci://r.io:port/a:t", "no number up to 65535"),
            ("oci://r.io:99999/a:t", "no number up to 65535"),
            ("oci://alice:hunter2@r.io/a:t", "`…@r.io/a:t` has a user before the host"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
