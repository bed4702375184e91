//! Kubernetes YAML: what is applied, and what was changed in it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::descriptor::Descriptor;
use super::expectation::Expectation;
use crate::bundle_path::BundlePath;
use crate::reference::ImageReference;

/// One file of Kubernetes YAML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedManifest {
    /// The spec's name for it; the file to apply is `manifests/<name>.yaml`.
    pub name: String,
    /// Its URL, or the path in the spec.
    pub source: String,
    /// What made the file, if its source is no Kubernetes YAML yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered: Option<LockedRendering>,
    /// The file as upstream published it, or as it was rendered. If patches change it, the bundle holds
    /// the original byte for byte as `manifests/upstream/<name>.yaml`.
    pub upstream: Descriptor,
    /// The file to apply. It equals `upstream` if nothing is patched.
    pub applied: Descriptor,
    /// Each change between the two, in the file's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Edit>,
    /// The images it needs, sorted.
    pub images: Vec<ImageReference>,
    /// The parts in which it is applied, in order. Empty if it is applied at
    /// once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<LockedPass>,
    /// What it expects of the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expects: Vec<Expectation>,
}

impl LockedManifest {
    /// The path in the bundle of the file to apply.
    pub fn path(&self) -> BundlePath {
        BundlePath::Manifest { manifest: self.name.clone() }
    }

    /// The path in the bundle of the published file, if patches changed it.
    pub fn upstream_path(&self) -> BundlePath {
        BundlePath::Upstream { manifest: self.name.clone() }
    }

    /// The passes, each with its path in the bundle.
    pub fn passes(&self) -> impl Iterator<Item = (BundlePath, &LockedPass)> {
        let path = |number| BundlePath::Pass { manifest: self.name.clone(), number };
        (1..).map(path).zip(&self.passes)
    }
}

/// How a chart or a Kustomization became Kubernetes YAML.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedRendering {
    /// The program with its version: `helm v4.3.2`.
    pub by: String,
    /// The chart with its version, as it calls itself: `metrics-server 3.13.0`. A
    /// Kustomization has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
}

impl fmt::Display for LockedRendering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.chart {
            Some(chart) => write!(f, "chart {chart}, rendered by {}", self.by),
            None => write!(f, "made by {}", self.by),
        }
    }
}

/// A part of a manifest that is applied in one go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedPass {
    /// Its documents.
    pub content: Descriptor,
    /// Whether it defines new kinds. The API server needs a moment before it
    /// serves them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub defines_kinds: bool,
    /// Whether it is applied on the API server's side, because one of its objects
    /// is too large for the annotation in which kubectl keeps what it applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_server: bool,
}

/// One change to a manifest's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Edit {
    /// What asked for the change: `hostNetwork`, `poolCidr`, `pullPolicy`,
    /// `imageRewrite`, `set …`.
    pub patch: String,
    /// The line of the upstream file, from 1.
    pub line: usize,
    /// The text that was there; empty for an insertion.
    pub from: String,
    /// The text that is there now.
    pub to: String,
}
