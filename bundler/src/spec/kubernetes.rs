//! The release of Kubernetes, and the container runtime.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::text;
use bundle_format::version::{ContainerdVersion, KubernetesVersion};

/// The Kubernetes release and the names of its images.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kubernetes {
    /// The release, exact: `1.28.2`. kubelet, kubeadm and kubectl are taken in
    /// this version, and the images that its kubeadm needs.
    #[schemars(with = "text::KubernetesVersion")]
    pub version: Spanned<KubernetesVersion>,
    /// The repository that nodes know kubeadm's images by (kubeadm's
    /// `imageRepository`). Left out: the default of the release.
    #[serde(default)]
    #[schemars(with = "Option<text::ImagePrefix>")]
    pub image_repository: Option<String>,
    /// The repository that kubeadm's images are pulled from, when it is another
    /// one: a mirror such as `registry.aliyuncs.com/google_containers`.
    #[serde(default)]
    #[schemars(with = "Option<text::ImagePrefix>")]
    pub pull_from: Option<String>,
    /// Where the list of kubeadm's images comes from.
    #[serde(default)]
    pub kubeadm_images: KubeadmImages,
    /// The yum repository (its `id`) that the Kubernetes packages must come
    /// from, whatever other repositories offer under the same names.
    #[serde(default)]
    #[schemars(with = "Option<text::Id>")]
    pub repository: Option<String>,
}

/// Where the list of kubeadm's images comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KubeadmImages {
    /// The bundler's own table.
    #[default]
    Known,
    /// The spec's `images`, for a release that the table does not know.
    Listed,
}

/// The container runtime.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Containerd {
    /// The release, exact: `1.6.25`.
    #[schemars(with = "text::ContainerdVersion")]
    pub version: Spanned<ContainerdVersion>,
    /// Its package: `containerd.io`, unless a distribution calls it otherwise.
    #[serde(default = "containerd_package")]
    #[schemars(with = "text::Id")]
    pub package: String,
    /// The yum repository (its `id`) that it must come from.
    #[serde(default)]
    #[schemars(with = "Option<text::Id>")]
    pub repository: Option<String>,
}

fn containerd_package() -> String {
    "containerd.io".to_owned()
}
