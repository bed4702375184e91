//! Changes to a manifest's text that leave every other byte as it was: upstream
//! YAML is never written anew, only spliced where a patch says.

use bundle_format::lock::Edit;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::libyaml::document::{self, YamlError};

mod image_rewrite;
mod network;
mod pool_cidr;
mod pull_policy;
mod set;
mod splice;
mod target;

pub use network::{Network, NetworkError};
pub use target::Workload;

use crate::spec::text;
use splice::Splice;

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
    pub path: String,
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
    fn yaml(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            // A JSON string is a YAML string.
            Self::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        }
    }
}

/// A patch that cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// The manifest is no YAML, or is none after the patch.
    #[error("{}patch {patch}", before(.place))]
    Yaml {
        /// Where the spec asks for it.
        place: Option<String>,
        /// The patch.
        patch: String,
        /// Why.
        #[source]
        source: YamlError,
    },
    /// There is nothing to change.
    #[error("{}patch {patch}: {reason}", before(.place))]
    Nothing {
        /// Where the spec asks for it.
        place: Option<String>,
        /// The patch.
        patch: String,
        /// What is missing, and what there is.
        reason: String,
    },
}

fn before(place: &Option<String>) -> String {
    place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default()
}

/// Whether a text is a path such as a `set` patch has.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    set::check_path(path)
}

/// Applies `patches` one after another to the manifest called `name`. Gives the
/// new text and what was changed; the lines of an edit are those of the text
/// that its patch found.
pub fn apply(patches: &[Patch], name: &str, text: &str) -> Result<(String, Vec<Edit>), PatchError> {
    let mut text = text.to_owned();
    let mut edits = Vec::new();
    for patch in patches {
        let (patched, made) = apply_one(patch, name, &text)?;
        edits.extend(made);
        text = patched;
    }
    Ok((text, edits))
}

fn apply_one(patch: &Patch, name: &str, text: &str) -> Result<(String, Vec<Edit>), PatchError> {
    let words = patch.change.words();
    let place = || patch.place.clone();
    let yaml = |source| PatchError::Yaml { place: place(), patch: words.clone(), source };
    let nothing = |reason| PatchError::Nothing { place: place(), patch: words.clone(), reason };
    let documents = document::documents(name, text).map_err(yaml)?;
    let splices = match &patch.change {
        Change::HostNetwork(workload) => network::host_network(&documents, text, workload),
        Change::PoolCidr(network) => pool_cidr::splices(&documents, text, network),
        Change::PullPolicy(policy) => pull_policy::splices(&documents, text, *policy),
        Change::ImageRewrite(rewrite) => image_rewrite::splices(text, rewrite),
        Change::Set(set) => set::splices(&documents, text, set),
    }
    .map_err(nothing)?;
    let patched = splice::apply(text, &splices);
    let after = document::documents(name, &patched).map_err(yaml)?;
    if !target::same_but_for(&documents, &after, &splices) {
        let reason =
            "it would change more than it says, as where an anchor is used in several places";
        return Err(nothing(reason.to_owned()));
    }
    let edits = splices
        .iter()
        .map(|splice: &Splice| Edit {
            patch: words.clone(),
            line: splice.line(text),
            from: splice.from(text).to_owned(),
            to: splice.to.clone(),
        })
        .collect();
    drop(after);
    Ok((patched, edits))
}

impl Change {
    /// `hostNetwork Deployment/ingress-nginx-controller`.
    fn words(&self) -> String {
        match self {
            Self::HostNetwork(workload) => {
                format!("hostNetwork {}/{}", workload.kind, workload.name)
            }
            Self::PoolCidr(network) => format!("poolCidr {network}"),
            Self::PullPolicy(policy) => format!("pullPolicy {policy:?}"),
            Self::ImageRewrite(rewrite) => {
                format!("imageRewrite {} -> {}", rewrite.from, rewrite.to)
            }
            Self::Set(set) => format!("set {}/{} {}", set.kind, set.name, set.path),
        }
    }
}

#[cfg(test)]
mod tests;
