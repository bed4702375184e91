//! Swap, with which kubelet does not start.

use super::{Finding, again, kubelet};
use crate::host::Host;

pub(super) fn on(host: &Host) -> anyhow::Result<Option<Finding>> {
    let swaps = host.read("/proc/swaps")?.unwrap_or_default();
    let first = |line: &str| line.split_ascii_whitespace().next().map(str::to_owned);
    let names: Vec<String> = swaps.lines().skip(1).filter_map(first).collect();
    // Who has told kubelet to bear it wants it.
    let is_wanted = kubelet::configuration(host)?
        .is_some_and(|settings| settings.get("failSwapOn") == Some(&false.into()));
    if names.is_empty() || is_wanted {
        return Ok(None);
    }
    let by_hand = "swapoff -a; then make its lines in /etc/fstab comments";
    let cause = format!("swap is on, with which kubelet does not start: {}", names.join(", "));
    Ok(Some(Finding::new(cause, again(host, &["swap"], by_hand))))
}
