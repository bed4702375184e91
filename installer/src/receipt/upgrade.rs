//! An upgrade of the node, as the receipt has it.

use std::fmt;

use bundle_format::{Digest, KubernetesVersion};
use serde::{Deserialize, Serialize};

/// An upgrade, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upgrade {
    /// How far it is.
    pub stage: Stage,
    /// The version before.
    pub from: KubernetesVersion,
    /// The version that the node gets.
    pub to: KubernetesVersion,
    /// The digest of the new bundle's index.
    pub bundle: Digest,
}

/// How far an upgrade is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// It has begun.
    Begun,
    /// All of it was made. It can still be taken back.
    Made,
    /// It is being taken back.
    Returning,
    /// It was taken back.
    Returned,
    /// It was declared finished, and cannot be taken back.
    Finished,
}

impl Upgrade {
    /// The same, this far.
    #[must_use]
    pub fn at(&self, stage: Stage) -> Self {
        Self { stage, ..self.clone() }
    }
}

impl fmt::Display for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from Kubernetes {} to {}", self.from, self.to)
    }
}
