//! Image references in their full form.

use std::fmt;
use std::str::FromStr;

use oci_spec::distribution::Reference;
use url::Url;

use crate::digest::Digest;
use crate::text::serde_as_text;

/// The name of an image, fully qualified: registry, repository, and a tag, a
/// digest, or both. `busybox` is read as `docker.io/library/busybox:latest`,
/// as containerd and docker read it (distribution's `reference/normalize.go`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A text that is not an image reference.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not an image reference: {reason}")]
pub struct ReferenceError {
    text: String,
    reason: String,
}

impl ImageReference {
    /// The host, with its port if one is written: `docker.io`, `localhost:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path after the registry: `library/busybox`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag. `None` if only a digest is written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one is written.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Registry and repository, without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same repository at `digest`, without a tag.
    pub fn at(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The same repository and tag at `digest`: it is read by the digest, and people see the tag.
    pub fn pinned(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// The same repository and tag without the digest. Without a tag, the digest
    /// stays.
    pub fn tagged(&self) -> Self {
        Self { digest: if self.tag.is_some() { None } else { self.digest }, ..self.clone() }
    }
}

impl FromStr for ImageReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let fail = |reason: String| ReferenceError { text: text.to_owned(), reason };
        if is_identifier(text) {
            return Err(fail(
                "64 hexadecimal digits are the id of an image, not a name".to_owned(),
            ));
        }
        let parsed = Reference::try_from(text).map_err(|error| fail(error.to_string()))?;
        let digest = match parsed.digest() {
            Some(digest) => Some(digest.parse().map_err(|error| fail(format!("{error}")))?),
            None => None,
        };
        // Even if there is a digest and no tag, the parser adds `latest`.
        let before_digest = text.split('@').next().unwrap_or(text);
        let last_segment = before_digest.rsplit('/').next().unwrap_or(before_digest);
        let written_tag = last_segment.split_once(':').map(|(_, tag)| tag.to_owned());
        let tag = match (written_tag, digest) {
            (None, None) => Some("latest".to_owned()),
            (tag, _) => tag,
        };
        // The parser follows an older distribution. In newer ones, a first
        // part with a capital letter is a host, because no repository name may
        // have capitals.
        let (registry, repository) = match parsed.repository().split_once('/') {
            Some((host, rest)) if host.contains(|c: char| c.is_ascii_uppercase()) => (host, rest),
            _ => (parsed.registry(), parsed.repository()),
        };
        Ok(Self { registry: registry.to_owned(), repository: repository.to_owned(), tag, digest })
    }
}

/// A registry's host in its usual spelling: capitals and the port of https make no other host,
/// and Docker Hub has two names.
pub fn usual_host(registry: &str) -> String {
    let url = Url::parse(&format!("https://{registry}")).ok();
    let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
    match host {
        Some(("registry-1.docker.io", None)) => "docker.io".to_owned(),
        Some((host, None)) => host.to_owned(),
        Some((host, Some(port))) => format!("{host}:{port}"),
        None => registry.to_owned(),
    }
}

/// Whether it is an image's id. distribution's `ParseNormalizedNamed` refuses such a
/// name.
fn is_identifier(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

serde_as_text!(ImageReference);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_usual_spelling() {
        for (registry, usual) in [
            ("r.io", "r.io"),
            ("R.io", "r.io"),
            ("r.io:443", "r.io"),
            ("R.IO:0443", "r.io"),
            ("r.io:5000", "r.io:5000"),
            ("registry-1.docker.io", "docker.io"),
            ("MyReg", "myreg"),
            ("r.io:99999", "r.io:99999"),
        ] {
            assert_eq!(usual_host(registry), usual, "{registry}");
        }
    }

    #[test]
    fn reads_every_form_in_full() {
        let hex = "8fd21d59428507671ce0fb47f818b1d859c92d2ad07bb7c947268d433030ba98";
        let cases = [
            ("busybox".to_owned(), "docker.io/library/busybox:latest".to_owned()),
            ("rancher/x:v1".to_owned(), "docker.io/rancher/x:v1".to_owned()),
            ("localhost:5000/a".to_owned(), "localhost:5000/a:latest".to_owned()),
            ("index.docker.io/a/b:c".to_owned(), "docker.io/a/b:c".to_owned()),
            ("MyReg/x:1".to_owned(), "MyReg/x:1".to_owned()),
            ("Localhost/a/b".to_owned(), "Localhost/a/b:latest".to_owned()),
            (format!("r.io/a/b@sha256:{hex}"), format!("r.io/a/b@sha256:{hex}")),
            (format!("r.io/a/b:t@sha256:{hex}"), format!("r.io/a/b:t@sha256:{hex}")),
        ];
        for (text, full) in cases {
            let reference: ImageReference = text.parse().unwrap();
            assert_eq!(reference.to_string(), full, "{text}");
            assert_eq!(full.parse::<ImageReference>().unwrap(), reference);
        }
    }

    #[test]
    fn refuses_what_is_no_reference() {
        for text in ["", "a/UPPER", "a b", "a:b:c", "a@sha256:00", "http://a/b", "-a", "a/"] {
            assert!(text.parse::<ImageReference>().is_err(), "{text}");
        }
        for text in ["docker.io/MyReg/x:1", &"0a".repeat(32)] {
            assert!(text.parse::<ImageReference>().is_err(), "{text}");
        }
    }
}
