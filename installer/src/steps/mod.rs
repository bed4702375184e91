//! The steps, one file each. [`crate::role`] has their order.

pub mod containerd;
pub mod control_plane;
pub mod crictl;
pub mod firewall;
pub mod hosts;
pub mod images;
pub mod join;
pub mod join_file;
pub mod kubeconfig;
pub mod kubelet;
pub mod manifests;
pub mod modules;
pub mod network_manager;
pub mod packages;
pub mod ready;
pub mod repository;
pub mod selinux;
pub mod service_folder;
pub mod service_route;
pub mod swap;
pub mod sysctl;
pub mod time;

use crate::change::Change;
use crate::host::Host;

/// What makes a file have this text: nothing where it has.
fn file(host: &Host, path: &str, text: &str) -> anyhow::Result<Vec<Change>> {
    let same = host.read(path)?.as_deref() == Some(text);
    Ok(if same { Vec::new() } else { vec![Change::write(path, text)] })
}

/// Whether systemd says `word` of a unit, to `is-active` or `is-enabled`.
fn unit_is(host: &Host, word: &str, unit: &str) -> bool {
    let question = if word == "active" { "is-active" } else { "is-enabled" };
    host.query(&format!("systemctl {question} {unit}")).stdout.trim() == word
}

/// What makes a unit start now and at each boot.
fn enabled(host: &Host, unit: &str) -> Vec<Change> {
    let mut changes = Vec::new();
    if !unit_is(host, "enabled", unit) {
        changes.push(Change::run_undone_by(
            &format!("systemctl enable {unit}"),
            &format!("systemctl disable {unit}"),
        ));
    }
    if !unit_is(host, "active", unit) {
        changes.push(Change::run_undone_by(
            &format!("systemctl start {unit}"),
            &format!("systemctl stop {unit}"),
        ));
    }
    changes
}
