//! Container images: pulling them from registries, byte for byte.

pub mod auth;
pub mod challenge;
pub mod cosign;
pub mod credentials;
pub mod document;
mod helper;
pub mod kubeadm;
pub mod labels;
pub mod login;
pub mod login_file;
pub mod platform;
pub mod pull;
pub mod pull_error;
mod realm;
pub mod registry;
pub mod signatures;

#[cfg(test)]
mod scripted;
