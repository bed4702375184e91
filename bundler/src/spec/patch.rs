//! Changes to a manifest that a spec asks for.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::network::Network;
use super::text;
use super::value_path::ValuePath;

/// One change to a manifest.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Change")]
pub struct Patch {
    /// The change.
    pub change: Change,
    /// The place of the patch in the spec: `bundle.yaml:31:9`. Errors begin with
    /// it.
    pub place: Option<String>,
}

impl From<Change> for Patch {
    fn from(change: Change) -> Self {
        Self { change, place: None }
    }
}

/// The change that a patch makes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Change {
    /// The workload's pods use the node's network, and still the cluster's DNS.
    HostNetwork(Workload),
    /// The network of pods: Calico's default pool, or flannel's network.
    PoolCidr(#[schemars(with = "text::Network")] Network),
    /// Replaces every `imagePullPolicy: Always`.
    PullPolicy(PullPolicy),
    /// Renames images.
    ImageRewrite(ImageRewrite),
    /// Sets the value at a path.
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
    /// Its namespace. Left out: any namespace.
    #[serde(default)]
    #[schemars(extend("examples" = ["kube-system"]))]
    pub namespace: Option<String>,
    /// Its name.
    #[schemars(extend("examples" = ["coredns"]))]
    pub name: String,
}

/// A pull policy that works on a node without a registry.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// An image that the node has is not pulled.
    IfNotPresent,
    /// No image is pulled.
    Never,
}

/// A new name for images.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageRewrite {
    /// The beginning of their full names, in whole segments: `docker.io/calico`.
    #[schemars(with = "text::ImagePrefix")]
    pub from: String,
    /// The new beginning: `registry.example.com/calico`.
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
    /// Its namespace. Left out: any namespace.
    #[serde(default)]
    #[schemars(extend("examples" = ["kube-system"]))]
    pub namespace: Option<String>,
    /// Its name.
    #[schemars(extend("examples" = ["coredns"]))]
    pub name: String,
    /// The path of the value in the object:
    /// `spec.template.spec.containers[0].args[2]`,
    /// `metadata.annotations["example.com/key"]`.
    #[schemars(with = "text::ValuePath")]
    pub path: ValuePath,
    /// The new value.
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
    /// The value in YAML, which reads back as the same type.
    pub(crate) fn yaml(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            // A JSON string is also a YAML string.
            Self::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        }
    }
}
