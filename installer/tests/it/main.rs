//! Tests of `installer`, on nodes below a folder and on real programs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it expects"
)]

mod access;
mod attributes;
mod backup_timer;
mod boot_images;
mod cluster_keys;
mod conditions;
mod containerd;
mod cut_transaction;
mod delta;
mod doctor;
mod faults;
mod fed;
mod files;
mod firewall;
mod firewall_zones;
#[path = "../../../tests/it/support/help.rs"]
mod help;
mod ingress;
mod install_document;
mod kubeadm;
mod kubelet_arguments;
mod looks;
mod manifests;
mod masters;
mod next_boot;
mod node;
mod odd;
mod older_receipts;
mod packages;
mod pages;
mod preflight;
mod real_packages;
mod real_readers;
mod receipt;
mod refusals;
mod renewal;
mod resets;
mod restoring;
mod said;
mod secrets;
mod settled;
#[path = "../../../tests/it/support/shared_data.rs"]
mod shared_data;
mod status;
mod streams;
mod support;
mod systems;
mod umask;
mod unanswered;
mod up;
mod upgrade;
mod vendor_keys;
mod virtual_address;
mod ways;
