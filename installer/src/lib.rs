//! Turns a bare node into a Kubernetes master or worker from a bundle alone.
//!
//! [`role`] has the steps of each role, [`steps`] the steps. A step says what is
//! still to be done as [`change`]s; [`run`] shows them, or makes them by way of
//! [`host`], which notes each in the [`receipt`] first. [`reset`] goes back over
//! that. [`status`] and [`doctor`] only look. [`certs`] has a cluster's certificates,
//! [`renewal`] new ones, [`access`] kubeconfigs for persons.

pub mod access;
mod boot_images;
pub mod certificate;
pub mod certs;
pub mod change;
mod chrony;
pub mod cli;
pub mod cluster_file;
mod containerd;
pub mod doctor;
pub mod exec;
pub mod expiry;
pub mod facts;
pub mod failure;
pub mod host;
mod ingress;
pub mod inventory;
pub mod join;
pub mod kubeadm;
pub mod kubeconfig;
pub mod orphan;
pub mod pods;
pub mod preflight;
pub mod receipt;
pub mod registered;
pub mod renewal;
pub mod reset;
pub mod role;
pub mod run;
pub mod settled;
pub mod status;
pub mod step;
pub mod steps;
