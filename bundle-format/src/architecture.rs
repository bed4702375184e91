//! The processor architectures that nodes have.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A node's architecture. RPM and OCI have different names for it (`x86_64`,
/// `amd64`). Specs and locks use RPM's.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Architecture {
    /// 64-bit x86.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit ARM.
    #[serde(rename = "aarch64")]
    Aarch64,
}

/// A text that is not the name of a known architecture.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an architecture we know: write x86_64 or aarch64")]
pub struct ArchitectureError(String);

impl Architecture {
    /// `x86_64`, `aarch64`: the name in RPMs and yum repositories.
    pub fn rpm(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// `amd64`, `arm64`: the name in image indexes (Go's `GOARCH`).
    pub fn oci(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rpm())
    }
}

impl FromStr for Architecture {
    type Err = ArchitectureError;

    fn from_str(text: &str) -> Result<Self, ArchitectureError> {
        match text {
            "x86_64" | "amd64" => Ok(Self::X86_64),
            "aarch64" | "arm64" => Ok(Self::Aarch64),
            _ => Err(ArchitectureError(text.to_owned())),
        }
    }
}
