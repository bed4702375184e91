//! RPMs: repositories, the dependency closure, signatures.

mod armor;
mod certificate;
pub mod closure;
pub mod compression;
mod cpio;
pub mod dependency;
pub mod header;
pub mod key;
pub mod local_repository;
pub mod location;
pub mod locked_keys;
pub mod modules;
pub mod node_rpm;
pub mod origin;
pub mod package;
mod package_digest;
pub mod package_signature;
pub mod primary;
pub mod repomd;
pub mod repository;
pub mod resolve;
mod revoker;
pub mod signatory;
pub mod signed_program;
mod standing;
pub mod verified_repository;
mod xml;
