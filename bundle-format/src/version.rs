//! Versions of Kubernetes and containerd.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::yaml::quoted;

/// A Kubernetes release: `1.28.2`, `1.31.0-rc.1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KubernetesVersion {
    minor: u32,
    patch: u32,
    text: String,
}

/// A containerd release: `1.6.25`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ContainerdVersion {
    numbers: [u32; 3],
    text: String,
}

/// A text that is not an exact version.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VersionError {
    /// A version in the form of a tag: it begins with `v`, which packages do not
    /// have.
    #[error("versions have no `v` here: write {0}")]
    Prefixed(String),
    /// Anything else.
    #[error("{} is not an exact version: write all three numbers, such as {example}", quoted(.text))]
    Inexact {
        /// The text.
        text: String,
        /// A text that would be right.
        example: &'static str,
    },
}

impl KubernetesVersion {
    /// The version as text: `1.28.2`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// 28 of `1.28.2`.
    pub fn minor(&self) -> u32 {
        self.minor
    }

    /// 2 of `1.28.2`.
    pub fn patch(&self) -> u32 {
        self.patch
    }

    /// 28 and 2 of `1.28.2`, to compare releases: the larger one is newer.
    pub fn numbers(&self) -> [u32; 2] {
        [self.minor, self.patch]
    }
}

impl ContainerdVersion {
    /// 1 of `1.6.25`.
    pub fn major(&self) -> u32 {
        self.numbers[0]
    }

    /// 1, 6 and 25 of `1.6.25`.
    pub fn numbers(&self) -> [u32; 3] {
        self.numbers
    }
}

/// The three numbers of `1.28.2` or `1.28.2-rc.1`. Whatever follows them must be
/// valid in SemVer.
fn numbers(text: &str) -> Option<[u32; 3]> {
    let (core, end) = text.split_once('-').unwrap_or((text, ""));
    if !end.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte)) {
        return None;
    }
    // `parse` takes a `+`.
    if core.contains('+') {
        return None;
    }
    let mut parts = core.split('.').map(|part| part.parse::<u32>().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

fn wrong(text: &str, example: &'static str) -> VersionError {
    match text.strip_prefix('v').filter(|rest| numbers(rest).is_some()) {
        Some(rest) => VersionError::Prefixed(rest.to_owned()),
        None => VersionError::Inexact { text: text.to_owned(), example },
    }
}

impl FromStr for KubernetesVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        match numbers(text) {
            Some([1, minor, patch]) => Ok(Self { minor, patch, text: text.to_owned() }),
            _ => Err(wrong(text, "1.28.2")),
        }
    }
}

impl FromStr for ContainerdVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        match numbers(text) {
            Some(numbers) => Ok(Self { numbers, text: text.to_owned() }),
            None => Err(wrong(text, "1.6.25")),
        }
    }
}

impl TryFrom<String> for KubernetesVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<KubernetesVersion> for String {
    fn from(version: KubernetesVersion) -> Self {
        version.text
    }
}

impl TryFrom<String> for ContainerdVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for ContainerdVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_exact_versions_only() {
        let version: KubernetesVersion = "1.28.2".parse().unwrap();
        assert_eq!(
            (version.minor(), version.patch(), version.to_string()),
            (28, 2, "1.28.2".to_owned())
        );
        assert_eq!("1.31.0-rc.1".parse::<KubernetesVersion>().unwrap().minor(), 31);
        assert_eq!("2.1.0".parse::<ContainerdVersion>().unwrap().major(), 2);
        for text in [
            "",
            "1.28",
            "latest",
            "2.0.0",
            "1.28.2.1",
            "1.28.x",
            "1.+28.2",
            "+1.28.2",
            "1.28.2-\u{202e}",
        ] {
            let error = text.parse::<KubernetesVersion>().unwrap_err().to_string();
            assert!(error.contains("such as 1.28.2"), "{error}");
        }
        let error = "v1.28.2".parse::<KubernetesVersion>().unwrap_err().to_string();
        assert!(error.ends_with("write 1.28.2"), "{error}");
        let error = "v1.6.25".parse::<ContainerdVersion>().unwrap_err().to_string();
        assert!(error.ends_with("write 1.6.25"), "{error}");
    }
}
