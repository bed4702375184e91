//! The contract between `bundler`, which makes a bundle, and `installer`, which reads
//! it: the terms that both use, the lock, the archive and its verification.
//! `docs/bundle-format.md` describes the format for other programs that read bundles.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

mod document;
mod problems;

pub mod architecture;
pub mod archive;
pub mod bounds;
pub mod built_in;
pub mod bundle_path;
pub mod cluster;
pub mod damage;
pub mod day;
pub mod digest;
pub mod durable;
pub mod have;
pub mod image;
pub mod input;
pub mod kubeadm;
pub mod layout;
pub mod lines;
pub mod lock;
pub mod nevra;
pub mod oci;
pub mod output;
pub mod parallel;
pub mod pattern;
pub mod portable_path;
pub mod recognise;
pub mod reference;
pub mod replaced;
pub mod sbom;
pub mod search_path;
pub mod secret;
pub mod signature;
pub mod text;
pub mod version;
pub mod yaml;

pub use architecture::Architecture;
pub use bundle_path::BundlePath;
pub use digest::Digest;
pub use lock::Lock;
pub use nevra::{Evr, Nevra};
pub use reference::ImageReference;
pub use version::KubernetesVersion;
