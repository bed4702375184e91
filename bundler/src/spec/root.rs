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
use super::require::Require;
use super::signatures::Signatures;
use super::target::Target;
use super::text;

/// The keys and values that a spec may have.
pub static FORMAT: LazyLock<Format> =
    LazyLock::new(|| Format::of::<Spec>("spec", text::KINDS.iter().chain(&KINDS)));

/// The content of a bundle.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// The bundle's name: lower-case letters, digits, `.` and `-`. `build` names
    /// its files after it.
    #[schemars(with = "text::Name")]
    pub name: String,
    /// The release of Kubernetes.
    pub kubernetes: Kubernetes,
    /// The container runtime.
    #[serde(default)]
    pub containerd: Option<Containerd>,
    /// The kinds of nodes, one entry for each OS family and architecture.
    pub targets: Vec<Target>,
    /// Images that neither kubeadm nor a manifest names, such as those that
    /// operators pull by themselves.
    #[serde(default)]
    #[schemars(with = "Vec<text::Image>")]
    pub images: Vec<Spanned<ImageReference>>,
    /// Other places to pull images from. The first entry counts whose `name` is
    /// the beginning of the image's name.
    #[serde(default)]
    pub image_sources: Vec<ImageSource>,
    /// Kubernetes YAML, in the order in which the installer applies it.
    #[serde(default)]
    #[schemars(with = "Vec<Manifest>")]
    pub manifests: Vec<Spanned<Manifest>>,
    /// What manifests need and none of them brings.
    #[serde(default)]
    pub provided: Provided,
    /// How to reach registries. The keys are the registries' names in image
    /// references.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": text::RegistryName::schema_name()}))]
    pub registries: BTreeMap<String, Registry>,
    /// Installer programs for the bundle. Left out: the installer beside
    /// `bundler`, for the architecture that `bundler` runs on.
    #[serde(default)]
    pub installers: Option<Vec<Installer>>,
    /// Public keys of minisign: files beside the spec. The bundle's installer then takes
    /// only bundles that one of them has signed.
    #[serde(default)]
    #[schemars(with = "Vec<text::File>")]
    pub trusted_keys: Vec<String>,
    /// Who must have signed images with cosign, by the beginning of their names: a public key,
    /// which is a file beside the spec, or an identity with its issuer. `lock` takes only images
    /// there that he has signed. The longest beginning counts.
    #[serde(default)]
    pub signatures: Signatures,
    /// `signed`: `lock` fails if anything in the bundle is vouched for by nobody, or only
    /// by the connection by which it came. `bundler audit` shows who vouches.
    #[serde(default)]
    pub require: Option<Require>,
    /// Keys of the installer's cluster file, `cluster.yaml`. They are valid on
    /// site unless the site's own file sets them.
    #[serde(default)]
    #[schemars(with = "Cluster")]
    pub cluster: Given,
}

/// An installer program.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Installer {
    /// The architecture that it runs on.
    pub architecture: Architecture,
    /// The path of the program, from the spec's folder.
    #[schemars(with = "text::File")]
    pub file: String,
}
