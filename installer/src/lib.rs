//! Turns a bare node into a Kubernetes master or worker from a bundle alone.
//!
//! [`role`] has the steps of each role, [`steps`] the steps. A step says what is
//! still to be done as [`change`]s; [`run`] shows them, or makes them by way of
//! [`host`], which notes each in the [`receipt`] first. [`reset`] goes back over
//! that. [`preflight`] finds what is in the way. [`status`] and [`doctor`] only look.
//! [`credentials`] has a cluster's certificates, and kubeconfigs for persons.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod attributes;
pub mod change;
pub mod cli;
pub mod cluster_file;
pub mod credentials;
pub mod doctor;
pub mod exec;
pub mod facts;
pub mod failure;
mod family;
pub mod host;
pub mod inventory;
pub mod join;
pub mod kubeadm;
mod kubelet_arguments;
pub mod orphan;
pub mod os_release;
pub mod packages;
pub mod preflight;
pub mod receipt;
pub mod registered;
pub mod reset;
pub mod role;
pub mod run;
pub mod status;
pub mod step;
pub mod steps;
pub mod target;
mod undo;
mod whole_file;
