//! Room on the disks of containerd and kubelet.

use anyhow::Context;

use super::finding::Finding;
use crate::host::Host;

/// Below this kubelet ends pods (kubernetes.io, "node-pressure eviction",
/// `nodefs.available`), in percent.
const ENOUGH: u64 = 10;

pub(super) fn full(host: &Host) -> anyhow::Result<Option<Finding>> {
    let said = host.query("df --portability /var/lib /var/lib/containerd /var/lib/kubelet");
    // It fails where one of them is not there, and tells of the others.
    let disks = said.stdout.lines().filter_map(disk);
    let fullest = disks.min_by_key(|(left, _)| *left);
    let fullest =
        fullest.with_context(|| format!("`df` does not say what is left: it {}", said.end()))?;
    Ok(Some(fullest).filter(|(left, _)| *left < ENOUGH).map(|(left, mount)| {
        Finding::new(
            format!("the disk at {mount} has only {left} % left"),
            format!("make room: `du -xh -d 4 {mount} | sort -h | tail` shows what takes it"),
        )
    }))
}

/// Of `df --portability`: name, blocks, used, available, capacity, mount. Gives
/// the percentage that is left, and the mount.
fn disk(line: &str) -> Option<(u64, &str)> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let all: u64 = words.next()?.parse().ok()?;
    let available: u64 = words.nth(1)?.parse().ok()?;
    Some((available.saturating_mul(100).checked_div(all)?, words.nth(1)?))
}
