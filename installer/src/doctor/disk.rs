//! Free space on the disks of containerd and kubelet.

use anyhow::Context;

use super::finding::Finding;
use crate::host::Host;

/// kubelet evicts pods when less than this is free (kubernetes.io, "Node-pressure
/// Eviction", `nodefs.available`), in percent.
const ENOUGH: u64 = 10;

pub(super) fn full(host: &Host) -> anyhow::Result<Option<Finding>> {
    let said = host.query("df --portability /var/lib /var/lib/containerd /var/lib/kubelet");
    // df fails if one folder does not exist, and still prints the others.
    let disks = said.stdout.lines().filter_map(disk);
    let fullest = disks.min_by_key(|(left, _)| *left);
    let fullest = fullest
        .with_context(|| format!("`df` does not say how much space is free: it {}", said.end()))?;
    Ok(Some(fullest).filter(|(left, _)| *left < ENOUGH).map(|(left, mount)| {
        Finding::new(
            format!("the disk at {mount} has only {left} % free"),
            format!("make room: `du -xh -d 4 {mount} | sort -h | tail` shows what uses it"),
        )
    }))
}

/// Reads a line of `df --portability`: name, blocks, used, available, capacity,
/// mount. Gives the free percentage, and the mount.
fn disk(line: &str) -> Option<(u64, &str)> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let all: u64 = words.next()?.parse().ok()?;
    let available: u64 = words.nth(1)?.parse().ok()?;
    Some((available.saturating_mul(100).checked_div(all)?, words.nth(1)?))
}
