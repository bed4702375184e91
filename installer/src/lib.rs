//! Turns a bare node into a Kubernetes master or worker from a bundle alone.
//!
//! [`role`] has the steps of each role, [`steps`] the steps. A step says what is
//! still to be done as [`change`]s; [`run`] shows them, or makes them by way of
//! [`host`], which notes each in the [`receipt`] first. [`reset`] goes back over
//! that. [`status`] and [`doctor`] only look.

pub mod certificate;
pub mod change;
mod chrony;
pub mod cli;
pub mod cluster;
pub mod doctor;
pub mod exec;
pub mod facts;
pub mod failure;
pub mod host;
pub mod inventory;
pub mod join;
pub mod kubeadm;
pub mod kubeconfig;
pub mod preflight;
pub mod receipt;
pub mod registered;
pub mod reset;
pub mod role;
pub mod run;
pub mod settled;
pub mod status;
pub mod step;
pub mod steps;
