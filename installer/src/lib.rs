//! Turns a bare node into a Kubernetes master or worker from a bundle alone.
//!
//! [`steps::order`] has the steps of each role, [`steps`] the steps. A step says what
//! is still to be done; the [`engine`] shows it, or makes it by way of [`host`], which
//! notes each change in the [`receipt`] first, and takes it back. What a node is, and
//! how it is asked, is in [`node`]. [`preflight`] finds what is in the way; [`status`]
//! and [`doctor`] only look. [`credentials`] makes certificates and kubeconfigs,
//! [`removal`] takes nodes out of a cluster, and [`upgrade`] takes an upgrade back.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod backup;
pub mod cli;
pub mod cluster_file;
pub mod credentials;
pub mod doctor;
pub mod engine;
pub mod exec;
pub mod failure;
pub mod files;
pub mod hop;
pub mod host;
pub mod install;
pub mod intent;
mod masked;
pub mod node;
pub mod preflight;
pub mod receipt;
pub mod removal;
pub mod role;
pub mod site;
pub mod status;
pub mod steps;
mod support;
pub mod target;
pub mod trust;
pub mod upgrade;
