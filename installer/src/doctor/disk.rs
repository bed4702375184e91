//! Free space on the disks of containerd and kubelet.

use anyhow::bail;

use super::finding::Finding;
use super::kubelet;
use crate::host::Host;

/// What must be free.
#[derive(Clone, Copy)]
enum Enough {
    /// A part of the disk, in percent.
    Percent(u64),
    /// Bytes.
    Bytes(u64),
}

/// kubelet's default (kubernetes.io, "Node-pressure Eviction", `nodefs.available`).
const DEFAULT: Enough = Enough::Percent(10);

/// What `df` says of a disk, in KiB.
struct Disk<'a> {
    all: u64,
    free: u64,
    mount: &'a str,
}

/// kubelet evicts pods when less than its `evictionHard` says is free.
pub(super) fn full(host: &Host) -> anyhow::Result<Option<Finding>> {
    let said = host.query("df --portability /var/lib /var/lib/containerd /var/lib/kubelet");
    // df fails if one folder does not exist, and still prints the others.
    let disks: Vec<Disk<'_>> = said.stdout.lines().filter_map(Disk::of).collect();
    if disks.is_empty() {
        bail!("`df` does not say how much space is free: it {}", said.end());
    }
    let enough = enough(host);
    let full = disks.into_iter().filter(|disk| disk.has_less_than(enough));
    Ok(full.min_by_key(Disk::percent).map(|disk| {
        let (mount, percent) = (disk.mount, disk.percent());
        Finding::new(
            format!("the disk at {mount} has only {percent} % free"),
            format!("make room: `du -xh -d 4 {mount} | sort -h | tail` shows what uses it"),
        )
    }))
}

/// What kubelet's configuration says. Another finding is about one that cannot be read.
fn enough(host: &Host) -> Enough {
    let settings = kubelet::configuration(host).ok().flatten();
    let all = settings.unwrap_or_default();
    let Some(hard) = all.get("evictionHard") else { return DEFAULT };
    match hard.get("nodefs.available") {
        Some(set) => set.as_str().and_then(Enough::of).unwrap_or(DEFAULT),
        // One threshold takes the place of all defaults, unless they are merged.
        None if all.get("mergeDefaultEvictionSettings") == Some(&true.into()) => DEFAULT,
        None => Enough::Bytes(1),
    }
}

impl Enough {
    /// Reads `10%`, or a quantity such as `1Gi` (kubernetes.io, "Quantity").
    fn of(text: &str) -> Option<Self> {
        const UNITS: [(&str, u64); 8] = [
            ("Ki", 1 << 10),
            ("Mi", 1 << 20),
            ("Gi", 1 << 30),
            ("Ti", 1 << 40),
            ("k", 1_000),
            ("M", 1_000_000),
            ("G", 1_000_000_000),
            ("", 1),
        ];
        if let Some(percent) = text.strip_suffix('%') {
            let whole = percent.split('.').next().unwrap_or_default();
            return whole.parse().ok().map(Self::Percent);
        }
        let (number, unit) = UNITS
            .iter()
            .find_map(|(name, unit)| Some((thousandths(text.strip_suffix(name)?)?, *unit)))?;
        Some(Self::Bytes(number.saturating_mul(unit) / 1000))
    }
}

/// 1500 of `1.5`.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<u64>().ok()?.saturating_mul(1000).saturating_add(part.parse().ok()?))
}

impl<'a> Disk<'a> {
    /// Reads a line of `df --portability`: name, blocks, used, available, capacity,
    /// mount.
    fn of(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace().skip(1);
        let all: u64 = words.next()?.parse().ok().filter(|all| *all > 0)?;
        let free = words.nth(1)?.parse().ok()?;
        Some(Self { all, free, mount: words.nth(1)? })
    }

    fn percent(&self) -> u64 {
        self.free.saturating_mul(100) / self.all
    }

    fn has_less_than(&self, enough: Enough) -> bool {
        match enough {
            Enough::Percent(percent) => self.percent() < percent,
            Enough::Bytes(bytes) => self.free.saturating_mul(1024) < bytes,
        }
    }
}
