//! The spec: what the user wants, in YAML. These types are the reference: the
//! JSON Schema that editors use is generated from them, doc comments included.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bundle_format::cluster::{Cluster, Given, KINDS};
use bundle_format::lock::System;
use bundle_format::yaml::Format;
use bundle_format::{Architecture, ImageReference};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

pub mod combination;
mod named_files;
pub mod parse;
pub(crate) mod plain_http;
pub mod profile;
mod relations;
pub mod schema;
pub(crate) mod text;
pub mod version;

pub use parse::{SpecError, SpecFile};
pub use version::{ContainerdVersion, KubernetesVersion};

use crate::manifest::patch::{Change, Patch};

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

/// One kind of node: an OS family on an architecture.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// `el7`, `el8` or `el9` bring a list of base packages along; any other
    /// name has none, so `packages` must list all that nodes need.
    #[schemars(with = "text::Family")]
    pub family: Spanned<String>,
    /// The nodes' architecture.
    pub architecture: Architecture,
    /// Which nodes it is for, by their `/etc/os-release`: all fields of one entry must
    /// fit, and `*` stands for any text. Left out: those that call themselves as
    /// `family` does, by `PLATFORM_ID`, or by `ID` and `VERSION_ID` together.
    #[serde(default, rename = "match")]
    pub systems: Vec<OsRelease>,
    /// What every node has already, so that the bundle need not hold it.
    #[serde(default)]
    pub baseline: Baseline,
    /// The yum repositories to solve against, all of them.
    pub repositories: Vec<Repository>,
    /// Packages wanted besides Kubernetes, containerd and the family's base
    /// list: `tcpdump`, `tcpdump = 4.99`, `kernel >= 5.14`.
    #[serde(default)]
    #[schemars(with = "Vec<PackageRequest>")]
    pub packages: Vec<Spanned<PackageRequest>>,
    /// Packages that must not be taken, by name; `*` stands for any text.
    #[serde(default)]
    #[schemars(extend("examples" = [["kernel-debug*"]]))]
    pub exclude: Vec<String>,
}

impl Target {
    /// `el9-x86_64`, the target's name in locks and bundles.
    pub fn id(&self) -> String {
        format!("{}-{}", self.family.value, self.architecture)
    }

    /// The systems that it says it is for.
    pub fn systems(&self) -> Vec<System> {
        self.systems.iter().map(|fields| fields.0.clone().into()).collect()
    }
}

/// Fields of a node's os-release(5) with their values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("propertyNames" = {"format": text::OsReleaseField::schema_name()}))]
pub struct OsRelease(
    #[schemars(with = "BTreeMap<String, text::OsReleaseValue>")] BTreeMap<String, String>,
);

impl OsRelease {
    /// The fields with their values.
    pub fn fields(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

/// What counts as installed on a node before the bundle comes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Baseline {
    /// The closure of the repositories' own group `core`, which every
    /// installation has.
    #[default]
    Core,
    /// Nothing: the bundle holds the whole closure.
    None,
    /// The packages of a real node: a file beside the spec that the query in
    /// `docs/spec.md` wrote there.
    Packages(#[schemars(with = "text::File")] String),
}

/// A yum repository.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Repository {
    /// A short name, unique in its target.
    #[schemars(with = "text::Id")]
    pub id: Spanned<String>,
    /// The folder above `repodata/`: `https://`, `http://` or `file://`.
    /// `$basearch` stands for the target's architecture.
    #[serde(default)]
    #[schemars(with = "Option<text::BaseUrl>")]
    pub base_url: Option<String>,
    /// A document that lists base URLs, one a line; the first that answers is
    /// taken. Instead of `baseUrl`.
    #[serde(default)]
    #[schemars(with = "Option<text::FetchUrl>")]
    pub mirror_list: Option<String>,
    /// The vendor's public keys: URLs, or files beside the spec.
    #[serde(default)]
    #[schemars(with = "Vec<text::Location>")]
    pub keys: Vec<String>,
    /// Which repository wins when several offer a package: the lowest number.
    #[serde(default = "default_priority")]
    pub priority: u32,
    /// Whether each package's signature is checked.
    #[serde(default)]
    pub gpgcheck: Check,
    /// Whether the signature of the metadata is checked.
    #[serde(default)]
    pub repo_gpgcheck: Check,
    /// What becomes of a key that has expired.
    #[serde(default)]
    pub expired_keys: ExpiredKeys,
    /// Read its keys over http without TLS, and the repository too where no
    /// signature is checked, for this reason, which `inspect` shows.
    #[serde(default)]
    #[schemars(with = "Option<text::Reason>")]
    pub plain_http: Option<Reason>,
    /// See packages even where a module stream hides them, as dnf's
    /// `module_hotfixes=1`.
    #[serde(default)]
    pub module_hotfixes: bool,
    /// Packages of this repository that must not be taken, by name; `*` stands
    /// for any text.
    #[serde(default)]
    #[schemars(extend("examples" = [["kernel-debug*"]]))]
    pub exclude: Vec<String>,
}

fn default_priority() -> u32 {
    99
}

/// A check that is on unless there is a reason. Programs that read YAML 1.1, as PyYAML,
/// take `on` and `off` for true and false: for them write both in quotes.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Check {
    /// The check is made.
    #[default]
    On,
    /// The check is not made, for this reason, which `inspect` shows.
    Off(#[schemars(with = "text::Reason")] Reason),
}

/// What becomes of a key that has expired.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ExpiredKeys {
    /// Its signatures do not count.
    #[default]
    Refuse,
    /// Its signatures count, for this reason, which `inspect` shows.
    Allow(#[schemars(with = "text::Reason")] Reason),
}

/// Why a check is off: some words for whoever reads the bundle later.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Reason(String);

impl Reason {
    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text::reason(&text)?;
        Ok(Self(text))
    }
}

/// A package that nodes are to have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PackageRequest {
    /// `tcpdump`, `tcpdump-4.99.0`, `tcpdump >= 4.99`.
    Anywhere(#[schemars(with = "text::Package")] String),
    /// The same from one repository only.
    Pinned(PinnedPackage),
}

/// A package from one repository only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PinnedPackage {
    /// `tcpdump`, `tcpdump-4.99.0`, `tcpdump >= 4.99`.
    #[schemars(with = "text::Package")]
    pub package: String,
    /// The repository's `id`.
    #[schemars(with = "text::Id")]
    pub repository: String,
}

/// Another place to pull images from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageSource {
    /// The beginning of the name that nodes know the images by, whole path
    /// segments: `docker.io/calico`.
    #[schemars(with = "text::ImagePrefix")]
    pub name: String,
    /// What to put in its place when pulling: `quay.io/calico`.
    #[schemars(with = "text::ImagePrefix")]
    pub pull_from: String,
}

/// What is in the cluster before a manifest needs it, though no manifest brings
/// it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provided {
    /// Kinds with their groups, as an operator defines them, or alpha and beta
    /// kinds that are switched on: `Installation.operator.tigera.io`.
    #[serde(default)]
    #[schemars(with = "Vec<text::KindOfGroup>")]
    pub kinds: Vec<String>,
    /// Namespaces.
    #[serde(default)]
    #[schemars(with = "Vec<text::Namespace>")]
    pub namespaces: Vec<String>,
}

/// A file of Kubernetes YAML.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// A short name, unique: `calico`. The bundle holds `manifests/calico.yaml`.
    #[schemars(with = "text::Name")]
    pub name: String,
    /// Where it is published. Instead of `file`.
    #[serde(default)]
    #[schemars(with = "Option<text::FetchUrl>")]
    pub url: Option<String>,
    /// Where it is, beside the spec. Instead of `url`.
    #[serde(default)]
    #[schemars(with = "Option<text::File>")]
    pub file: Option<String>,
    /// The digest it must have, as 64 hex digits. Left out, `lock` writes down
    /// what it finds.
    #[serde(default)]
    #[schemars(with = "Option<text::Sha256>")]
    pub sha256: Option<String>,
    /// Read it over http without TLS though no `sha256` is given, for this reason,
    /// which `inspect` shows.
    #[serde(default)]
    #[schemars(with = "Option<text::Reason>")]
    pub plain_http: Option<Reason>,
    /// Changes to make to it, in order.
    #[serde(default)]
    #[schemars(with = "Vec<Change>")]
    pub patches: Vec<Patch>,
    /// Images that it is known not to need although it names them.
    #[serde(default)]
    #[schemars(with = "Vec<text::Image>")]
    pub ignore_images: Vec<ImageReference>,
}

/// How to reach a registry.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registry {
    /// Registries that hold the same images, asked first and in order:
    /// `https://mirror.example.com`, with a path if the mirror has one.
    #[serde(default)]
    #[schemars(with = "Vec<text::Mirror>")]
    pub mirrors: Vec<String>,
    /// Whether only the mirrors are asked, and the registry itself never.
    #[serde(default)]
    pub only: bool,
    /// A file beside the spec with the certificate that signed the registry's.
    #[serde(default)]
    #[schemars(with = "Option<text::File>")]
    pub ca: Option<String>,
    /// Where the user and the password come from. Left out: docker's own
    /// configuration, then anonymous.
    #[serde(default)]
    pub credentials: Option<Credentials>,
    /// Speak http without TLS to it, for this reason, which `inspect` shows.
    #[serde(default)]
    #[schemars(with = "Option<text::Reason>")]
    pub plain_http: Option<Reason>,
    /// The token server that the registry names, where that is under another
    /// domain than the registry: user and password go to it as well.
    #[serde(default)]
    #[schemars(with = "Option<text::RegistryName>")]
    pub token_server: Option<String>,
}

/// Where a registry's user and password come from; never the spec itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// The environment variable that holds the user.
    #[schemars(with = "text::Variable")]
    pub user_variable: String,
    /// The environment variable that holds the password.
    #[schemars(with = "text::PasswordVariable")]
    pub password_variable: String,
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
