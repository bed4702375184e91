//! Changes to a manifest, as a spec asks for them.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::network::Network;
use super::text;
use super::value_path::ValuePath;

/// One change to a manifest, as the spec says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Change")]
pub struct Patch {
    /// What is to change.
    pub change: Change,
    /// Where the spec says so: `bundle.yaml:31:9`. It stands before errors.
    pub place: Option<String>,
}

impl From<Change> for Patch {
    fn from(change: Change) -> Self {
        Self { change, place: None }
    }
}

/// What a patch changes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Change {
    /// The workload's pods use the node's network, and the cluster's DNS all
    /// the same.
    HostNetwork(Workload),
    /// The network of pods: Calico's default pool, or flannel's network.
    PoolCidr(#[schemars(with = "text::Network")] Network),
    /// What stands in the place of every `imagePullPolicy: Always`.
    PullPolicy(PullPolicy),
    /// Another name for images.
    ImageRewrite(ImageRewrite),
    /// A value at a path.
    Set(Set),
}

impl fmt::Display for Change {
    /// `hostNetwork Deployment/ingress-nginx-controller`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostNetwork(workload) => {
                write!(f, "hostNetwork {}/{}", workload.kind, workload.name)
            }
            Self::PoolCidr(network) => write!(f, "poolCidr {network}"),
            Self::PullPolicy(policy) => write!(f, "pullPolicy {policy:?}"),
            Self::ImageRewrite(rewrite) => {
                write!(f, "imageRewrite {} -> {}", rewrite.from, rewrite.to)
            }
            Self::Set(set) => write!(f, "set {}/{} {}", set.kind, set.name, set.path),
        }
    }
}

/// A workload in a manifest.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workload {
    /// `Deployment`, `DaemonSet`, `Job`, ….
    #[schemars(extend("examples" = ["Deployment"]))]
    pub kind: String,
    /// Its namespace; left out, any.
    #[serde(default)]
    #[schemars(extend("examples" = ["kube-system"]))]
    pub namespace: Option<String>,
    /// Its name.
    #[schemars(extend("examples" = ["coredns"]))]
    pub name: String,
}

/// A pull policy that a node without a registry can live with.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// Images that are there are not asked for.
    IfNotPresent,
    /// Images are never asked for.
    Never,
}

/// Another name for images.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageRewrite {
    /// The beginning of their full name, whole segments: `docker.io/calico`.
    #[schemars(with = "text::ImagePrefix")]
    pub from: String,
    /// What stands in its place: `registry.example.com/calico`.
    #[schemars(with = "text::ImagePrefix")]
    pub to: String,
}

/// A value at a path.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Set {
    /// The object's kind.
    #[schemars(extend("examples" = ["Deployment"]))]
    pub kind: String,
    /// Its namespace; left out, any.
    #[serde(default)]
    #[schemars(extend("examples" = ["kube-system"]))]
    pub namespace: Option<String>,
    /// Its name.
    #[schemars(extend("examples" = ["coredns"]))]
    pub name: String,
    /// `spec.template.spec.containers[0].args[2]`,
    /// `metadata.annotations["example.com/key"]`.
    #[schemars(with = "text::ValuePath")]
    pub path: ValuePath,
    /// The value.
    pub value: Value,
}

/// A single value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// `true`
    Bool(bool),
    /// `3`
    Number(i64),
    /// `"text"`
    Text(String),
}

impl Value {
    /// As it stands in YAML, so that it reads back as what it is.
    pub(crate) fn yaml(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            // A JSON string is a YAML string.
            Self::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        }
    }
}
