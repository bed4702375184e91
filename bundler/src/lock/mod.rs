//! From a spec to its lock, which says exactly what everything in the spec is today.

mod acceptance;
pub(crate) mod applied;
pub(crate) mod base_urls;
mod disabled_checks;
mod documents;
mod fits;
mod hops;
mod image_signers;
mod images;
pub(crate) mod inputs;
pub(crate) mod installers;
mod kept;
mod kernel;
pub(crate) mod keys;
mod kubeadm;
mod manifests;
mod on_nodes;
mod packages;
mod pins;
mod places;
pub(crate) mod render;
mod repositories;
mod requests;
mod resolve;
mod sources;
mod task;
mod unsigned;
mod wanted;
mod weak_metadata;

pub use fits::misfits;
pub use kept::Kept;
pub use resolve::resolve;
pub use task::Task;
pub use weak_metadata::refuse_step_back;
