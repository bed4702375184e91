//! Where a bundle is in a registry: `oci://registry.site/kubeferry/demo:1.28.2`.

use std::fmt;
use std::str::FromStr;

use bundle_format::ImageReference;

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
        let reference: ImageReference = rest.parse().map_err(|error| format!("{error}"))?;
        // Otherwise a forgotten host would mean Docker Hub, and a forgotten tag `latest`.
        if !rest.starts_with(&format!("{}/", reference.registry())) {
            return Err(format!("`{rest}` names no registry; write oci://HOST/REPOSITORY:TAG"));
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
            ("oci://a/b:t", "no registry"),
            ("oci://r.io/a", "no tag"),
            ("oci://r.io:5000/a", "no tag"),
            ("oci://r.io/A:t", "not an image reference"),
            ("oci://", "not an image reference"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
