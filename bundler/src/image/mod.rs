//! Container images: pulling them from registries, byte for byte; and how one writes to
//! a registry.

pub mod auth;
pub mod challenge;
mod chart;
pub mod credentials;
pub mod document;
pub mod found;
mod helper;
pub mod keyless;
pub mod kubeadm;
pub mod labels;
pub mod login;
pub mod login_file;
pub mod payload;
pub mod platform;
pub mod public_key;
pub mod pull;
pub mod pull_error;
mod realm;
pub(crate) mod referrers;
pub mod refusal;
pub mod registry;
pub mod signatures;
pub mod signer;
pub mod sigstore_bundle;
mod small_blob;
mod tagged;
pub(crate) mod writing;

#[cfg(test)]
mod scripted;
