//! Services that are off.

use super::finding::{Finding, again};
use crate::exec::Command;
use crate::host::Host;
use crate::node::systemd::{unit_is_absent, unit_told};
use crate::receipt::StepName;

/// Why a service does not run now, or will not after the next boot. `step` is the one
/// that sets it up.
pub(super) fn off(host: &Host, unit: &str, step: StepName) -> anyhow::Result<Option<Finding>> {
    // If systemd does not answer, that is an error.
    let active = unit_told(host, "is-active", unit)?;
    let said = host.answer(&Command::of(&format!("systemctl is-enabled {unit}")))?;
    let enabled = said.stdout.trim();
    let enable = format!("systemctl enable --now {unit}");
    if enabled.starts_with("masked") {
        return Ok(Some(Finding::new(
            format!("{unit} is masked, so nothing can start it"),
            format!("systemctl unmask {unit} && {enable}"),
        )));
    }
    Ok(match active.as_str() {
        "active" if enabled == "disabled" => {
            Some(Finding::new(format!("{unit} does not start at boot"), enable))
        }
        "active" | "reloading" => None,
        "activating" | "failed" => {
            let last = last_error(host, unit);
            Some(Finding::new(
                format!("{unit} fails: {last}"),
                format!("systemctl restart {unit}, once what it says is mended"),
            ))
        }
        _ if unit_is_absent(host, unit)? => Some(Finding::new(
            format!("systemd has no unit {unit}"),
            again(host, &[step], format!("install {unit} again, and run `{enable}`")),
        )),
        _ => Some(Finding::new(format!("{unit} does not run"), enable)),
    })
}

/// The last line of its log that looks like an error.
fn last_error(host: &Host, unit: &str) -> String {
    let said = host.query(&format!("journalctl --unit {unit} --lines 40 --output cat")).stdout;
    // kubelet begins such lines with E or F and the date (klog).
    let is_error = |line: &&str| {
        let mut start = line.chars();
        matches!(start.next(), Some('E' | 'F')) && start.next().is_some_and(|c| c.is_ascii_digit())
            || line.to_lowercase().contains("error")
    };
    let found = said.lines().rev().find(is_error).or(said.lines().last());
    let found = found.unwrap_or("its log says nothing");
    found.chars().take(300).collect()
}
