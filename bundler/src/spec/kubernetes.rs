//! The release of Kubernetes, and the container runtime.

use bundle_format::version::{ContainerdVersion, KubernetesVersion};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::text;

/// The Kubernetes release and the names of its images.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kubernetes {
    /// The exact release: `1.28.2`. The bundle gets kubelet, kubeadm and kubectl
    /// of this version, and the images that this kubeadm needs.
    #[schemars(with = "text::KubernetesVersion")]
    pub version: Spanned<KubernetesVersion>,
    /// The release that the clusters have now: `1.35.4`. The bundle then also gets the
    /// minor releases in between, because Kubernetes is upgraded one minor release at a
    /// time: of each the newest patch release. In the URLs of repositories and keys,
    /// `$minor` becomes the minor release that is meant, such as `1.35`.
    #[serde(default)]
    #[schemars(with = "Option<text::KubernetesVersion>")]
    pub from: Option<Spanned<KubernetesVersion>>,
    /// The repository of kubeadm's images in the names that nodes use (kubeadm's
    /// `imageRepository`). Left out: the default of the release.
    #[serde(default)]
    #[schemars(with = "Option<text::ImagePrefix>")]
    pub image_repository: Option<String>,
    /// The repository to pull kubeadm's images from, if it is another one: a
    /// mirror such as `registry.aliyuncs.com/google_containers`.
    #[serde(default)]
    #[schemars(with = "Option<text::ImagePrefix>")]
    pub pull_from: Option<String>,
    /// The source of the list of kubeadm's images.
    #[serde(default)]
    pub kubeadm_images: KubeadmImages,
    /// The `id` of the yum repository that the Kubernetes packages must come
    /// from. Packages of the same names in other repositories are not used.
    #[serde(default)]
    #[schemars(with = "Option<text::Id>")]
    pub repository: Option<String>,
}

/// The source of the list of kubeadm's images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KubeadmImages {
    /// The release's own kubeadm. If it cannot be asked, a table in bundler.
    #[default]
    Known,
    /// The spec's `images`. Use this for a release that is in neither.
    Listed,
}

/// The container runtime.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Containerd {
    /// The exact release: `1.6.25`.
    #[schemars(with = "text::ContainerdVersion")]
    pub version: Spanned<ContainerdVersion>,
    /// The name of its package: `containerd.io`, unless a distribution uses
    /// another name.
    #[serde(default = "containerd_package")]
    #[schemars(with = "text::Id")]
    pub package: String,
    /// The `id` of the yum repository that the package must come from.
    #[serde(default)]
    #[schemars(with = "Option<text::Id>")]
    pub repository: Option<String>,
}

fn containerd_package() -> String {
    "containerd.io".to_owned()
}
