//! The changes that start or stop a unit of systemd, now and at each boot.

use crate::failure::Failure;
use crate::host::Host;
use crate::install::Change;
use crate::node::systemd::{unit_is, unit_told};

/// The changes that stop another program's service. A reset restores its state.
pub(super) fn ended(host: &Host, unit: &str) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    // A unit that others start, or that exists until the next boot only, cannot be
    // disabled.
    if unit_told(host, "is-enabled", unit)? == "enabled" {
        changes.push(Change::run_undone_by(
            &format!("systemctl disable {unit}"),
            &format!("systemctl enable {unit}"),
        ));
    }
    if unit_told(host, "is-active", unit)? == "active" {
        changes.push(Change::run_undone_by(
            &format!("systemctl stop {unit}"),
            &format!("systemctl start {unit}"),
        ));
    }
    Ok(changes)
}

/// The changes that start a unit, now and at each boot.
pub(super) fn enabled(host: &Host, unit: &str) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    if !unit_is(host, "enabled", unit)? {
        if unit_is(host, "masked", unit)? {
            return Err(Failure::new(
                format!("{unit} is masked, so nothing can start it"),
                format!("`systemctl unmask {unit}`, and run this again"),
            )
            .into());
        }
        changes.push(Change::run_undone_by(
            &format!("systemctl enable {unit}"),
            &format!("systemctl disable {unit}"),
        ));
    }
    if !unit_is(host, "active", unit)? {
        changes.push(Change::run_undone_by(
            &format!("systemctl start {unit}"),
            &format!("systemctl stop {unit}"),
        ));
    }
    Ok(changes)
}
