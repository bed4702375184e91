//! Swap. kubelet does not start while it is on.

use super::finding::{Finding, again};
use super::kubelet;
use crate::host::Host;
use crate::receipt::{self, StepName};
use crate::steps::swap;

pub(super) fn on(host: &Host) -> anyhow::Result<Option<Finding>> {
    let swaps = host.read("/proc/swaps")?.unwrap_or_default();
    let first = |line: &str| line.split_ascii_whitespace().next().map(str::to_owned);
    let names: Vec<String> = swaps.lines().skip(1).filter_map(first).collect();
    // An operator who set `failSwapOn: false` wants swap.
    let is_wanted = kubelet::configuration(host)?
        .is_some_and(|settings| settings.get("failSwapOn") == Some(&false.into()));
    if names.is_empty() || is_wanted {
        return Ok(None);
    }
    let by_hand = "swapoff -a; then comment out its lines in /etc/fstab";
    let cause = format!("swap is on, and kubelet does not start with it: {}", names.join(", "));
    Ok(Some(Finding::new(cause, again(host, &[StepName::Swap], by_hand))))
}

/// Swap is off, and comes back at the next boot.
pub(super) fn comes_back(host: &Host) -> anyhow::Result<Option<Finding>> {
    let is_on = host.read("/proc/swaps")?.is_some_and(|text| text.lines().nth(1).is_some());
    // If the installer never switched it off, the operator may want it.
    if is_on || !receipt::finished(host.lines(), StepName::Swap) {
        return Ok(None);
    }
    Ok(swap::changes(host)?.first().map(|change| {
        let cause =
            format!("swap is off, but comes back at the next boot; to prevent that: `{change}`");
        Finding::new(cause, again(host, &[StepName::Swap], "comment out its lines in /etc/fstab"))
    }))
}
