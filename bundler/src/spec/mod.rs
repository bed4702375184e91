//! The spec: what the user wants, in YAML. These types are the reference. The JSON
//! Schema for editors is generated from them, with their doc comments.

mod chart;
pub(crate) mod chart_version;
pub mod combination;
mod file;
mod hops;
mod kubernetes;
mod kustomization;
mod manifest;
mod named_files;
pub mod network;
pub mod parse;
pub mod patch;
pub(crate) mod plain_http;
pub(crate) mod prefix;
pub mod profile;
mod reason;
mod registry;
mod relations;
mod repository;
mod require;
mod root;
pub mod schema;
mod signatures;
mod target;
pub(crate) mod text;
pub mod value_path;

pub use bundle_format::version::{ContainerdVersion, KubernetesVersion};
pub use chart::Chart;
pub(crate) use chart::From as ChartFrom;
pub use file::SpecFile;
pub use kubernetes::{Containerd, KubeadmImages, Kubernetes};
pub use kustomization::Kustomization;
pub use manifest::{Manifest, Provided};
pub use parse::SpecError;
pub use reason::Reason;
pub use registry::{Credentials, ImageSource, Registry};
pub use repository::{Check, ExpiredKeys, Repository};
pub use require::Require;
pub use root::{FORMAT, Installer, Spec};
pub use signatures::{Identity, Signatures, Signer};
pub use target::{Baseline, OsRelease, PackageRequest, PinnedPackage, Target};
