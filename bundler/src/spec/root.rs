//! The spec as a whole.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bundle_format::cluster::{Cluster, Given, KINDS};
use bundle_format::yaml::Format;
use bundle_format::{Architecture, ImageReference};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::kubernetes::{Containerd, Kubernetes};
use super::manifest::{Manifest, Provided};
use super::registry::{ImageSource, Registry};
use super::target::Target;
use super::text;

/// What may stand in a spec.
pub static FORMAT: LazyLock<Format> =
    LazyLock::new(|| Format::of::<Spec>("spec", text::KINDS.iter().chain(&KINDS)));

/// What a bundle is to hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// The bundle's name: lower-case letters, digits, `.` and `-`. It names the
    /// files that `build` writes.
    #[schemars(with = "text::Name")]
    pub name: String,
    /// The cluster's Kubernetes.
    pub kubernetes: Kubernetes,
    /// The container runtime.
    #[serde(default)]
    pub containerd: Option<Containerd>,
    /// The kinds of nodes, one entry for each OS family and architecture.
    pub targets: Vec<Target>,
    /// Images that neither kubeadm nor a manifest names: those that operators
    /// pull by themselves.
    #[serde(default)]
    #[schemars(with = "Vec<text::Image>")]
    pub images: Vec<Spanned<ImageReference>>,
    /// Where images are pulled from when that is not their name: the first
    /// entry whose `name` an image's name begins with counts.
    #[serde(default)]
    pub image_sources: Vec<ImageSource>,
    /// Kubernetes YAML, in the order in which it is to be applied.
    #[serde(default)]
    #[schemars(with = "Vec<Manifest>")]
    pub manifests: Vec<Spanned<Manifest>>,
    /// What manifests rely on and none of them brings.
    #[serde(default)]
    pub provided: Provided,
    /// How to reach registries, by the name that image references use.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": text::RegistryName::schema_name()}))]
    pub registries: BTreeMap<String, Registry>,
    /// Installer programs to put into the bundle. Left out, the one beside
    /// `bundler` is taken for the architecture that it runs on.
    #[serde(default)]
    pub installers: Option<Vec<Installer>>,
    /// Keys of the installer's cluster file, `cluster.yaml`, that hold on site
    /// where that has no others.
    #[serde(default)]
    #[schemars(with = "Cluster")]
    pub cluster: Given,
}

/// An installer program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Installer {
    /// The architecture that it runs on.
    pub architecture: Architecture,
    /// The program, beside the spec.
    #[schemars(with = "text::File")]
    pub file: String,
}
