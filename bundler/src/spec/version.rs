//! The versions that a spec names, parsed once.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A Kubernetes release: `1.28.2`, `1.31.0-rc.1`; a leading `v` is dropped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct KubernetesVersion {
    minor: u32,
    text: String,
}

/// A containerd release: `1.6.25`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ContainerdVersion {
    major: u32,
    text: String,
}

/// A text that is no exact version.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not an exact version: write all three numbers, such as {example}")]
pub struct VersionError {
    text: String,
    example: &'static str,
}

impl KubernetesVersion {
    /// 28 of `1.28.2`.
    pub fn minor(&self) -> u32 {
        self.minor
    }
}

impl ContainerdVersion {
    /// 1 of `1.6.25`.
    pub fn major(&self) -> u32 {
        self.major
    }
}

/// The three numbers of `1.28.2` or `1.28.2-rc.1`.
fn numbers(text: &str) -> Option<[u32; 3]> {
    let core = text.split_once('-').map_or(text, |(core, _)| core);
    let mut parts = core.split('.').map(|part| part.parse::<u32>().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

impl FromStr for KubernetesVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let plain = text.strip_prefix('v').unwrap_or(text);
        match numbers(plain) {
            Some([1, minor, _]) => Ok(Self { minor, text: plain.to_owned() }),
            _ => Err(VersionError { text: text.to_owned(), example: "1.28.2" }),
        }
    }
}

impl FromStr for ContainerdVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        match numbers(text) {
            Some([major, ..]) => Ok(Self { major, text: text.to_owned() }),
            None => Err(VersionError { text: text.to_owned(), example: "1.6.25" }),
        }
    }
}

impl TryFrom<String> for KubernetesVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
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
        let version: KubernetesVersion = "v1.28.2".parse().unwrap();
        assert_eq!((version.minor(), version.to_string()), (28, "1.28.2".to_owned()));
        assert_eq!("1.31.0-rc.1".parse::<KubernetesVersion>().unwrap().minor(), 31);
        assert_eq!("2.1.0".parse::<ContainerdVersion>().unwrap().major(), 2);
        for text in ["", "1.28", "latest", "2.0.0", "1.28.2.1", "1.28.x"] {
            let error = text.parse::<KubernetesVersion>().unwrap_err().to_string();
            assert!(error.contains("such as 1.28.2"), "{error}");
        }
    }
}
