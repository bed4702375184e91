//! Container images: pulling them from registries, byte for byte; and how one writes to
//! a registry.

mod chart;
pub mod document;
pub mod found;
pub mod keyless;
pub mod kubeadm;
pub mod labels;
pub mod payload;
pub mod platform;
pub mod public_key;
pub mod pull;
pub mod pull_error;
pub(crate) mod referrers;
pub mod refusal;
pub mod signatures;
pub mod signer;
pub mod sigstore_bundle;
mod small_blob;
mod tagged;

pub(crate) use distribution::registries::writing;
pub use distribution::registries::{auth, challenge, credentials, login, login_file, registry};

#[cfg(test)]
#[path = "../../../distribution/src/registries/scripted.rs"]
mod scripted;
