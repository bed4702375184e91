//! Swap: off now and at every boot, because kubelet does not start with it. Swap
//! comes from fstab(5), from units of a site or a package, from units that generators
//! make at each boot (for a GPT's swap partition, for zram, from the kernel's command
//! line), and from services that switch it on themselves. crypttab(5) only makes a
//! device for fstab.

use std::path::Path;

use super::lines::{lines, shown};
use crate::engine::step::Step;
use crate::exec::Command;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::systemd::{unit_is, units_there};
use crate::receipt::StepName;
use crate::steps::file::file;
use crate::steps::unit::ended;

const FSTAB: &str = "/etc/fstab";
/// Azure's agent. It makes a swap file on a disk that is empty at each boot.
const AGENT: &str = "/etc/waagent.conf";
/// Where a site's own units are. `systemctl mask` refuses to mask these.
const OWN: &str = "/etc/systemd/system";
/// Where all other units are (systemd.unit(5)).
const UNITS: [&str; 7] = [
    "/run/systemd/system",
    "/run/systemd/generator.early",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator",
    "/run/systemd/generator.late",
];
/// Services that switch swap on themselves.
const SERVICES: [&str; 6] =
    ["dphys-swapfile", "swapspace", "zram", "zram-config", "zram-swap", "zramswap"];

/// Switches swap off.
pub struct Swap;

impl Step<Intent> for Swap {
    fn name(&self) -> StepName {
        StepName::Swap
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        changes(node.host)
    }
}

/// The changes that switch swap off, now and at each boot. A reset goes backwards: it
/// first restores everything that makes swap, and then switches swap on.
pub(crate) fn changes(host: &Host) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    for service in units_there(host, &SERVICES)? {
        changes.extend(ended(host, service)?);
    }
    let units = units(host)?;
    let swaps = host.read("/proc/swaps")?.unwrap_or_default();
    if swaps.lines().nth(1).is_some() {
        let mut undo = vec![Command::of("swapon -a --ifexists")];
        if !units.is_empty() {
            // `swapon -a` does not know these units. Starting a target
            // that is active starts nothing.
            undo.push(Command::of("systemctl daemon-reload"));
            undo.push(Command::of("systemctl restart swap.target"));
        }
        let command = Command::of("swapoff -a");
        changes.push(Change::Run { command, undo, files: Vec::new(), intention: None });
    }
    changes.extend(units);
    for (path, is_meant) in [(FSTAB, is_swap as fn(&str) -> bool), (AGENT, is_agents)] {
        if let Some(text) = host.bytes(path)? {
            changes.extend(file(host, path, &without(&text, is_meant))?);
        }
    }
    // zram-generator(8) makes swap in memory at boot. An empty file of this name
    // stops it.
    let generator = "/etc/systemd/zram-generator.conf";
    if host.exists("/usr/lib/systemd/system-generators/zram-generator")
        && host.read(generator)?.as_deref() != Some("")
    {
        changes.extend(file(host, generator, "")?);
    }
    Ok(changes)
}

/// The changes that keep swap units from starting.
fn units(host: &Host) -> anyhow::Result<Vec<Change>> {
    let masked = |unit: &str| -> anyhow::Result<Option<Change>> {
        let mask = || {
            let (mask, unmask) = ("systemctl mask", "systemctl unmask");
            let undo = vec![Command::of(unmask).with(unit)];
            Change::Run {
                command: Command::of(mask).with(unit),
                undo,
                files: Vec::new(),
                intention: None,
            }
        };
        Ok(if unit_is(host, "masked", unit)? { None } else { Some(mask()) })
    };
    let (mut changes, mut removed) = (Vec::<Change>::new(), Vec::new());
    let is_swap = |name: &String| name.ends_with(".swap");
    let own: Vec<String> = host.list(OWN)?.into_iter().filter(is_swap).collect();
    let mut seen = own.clone();
    for name in own {
        let path = format!("{OWN}/{name}");
        let end = host.followed(&path)?;
        // A dangling link, a link to /dev/null and an empty file are no units.
        if host.path(&end).metadata().map_or(0, |found| found.len()) == 0 {
            continue;
        }
        removed.push(if end == Path::new(&path) {
            Change::Remove { path: path.into() }
        } else {
            let undo = vec![Command::of("systemctl link").with(end.display().to_string())];
            let command = Command::of("systemctl disable").with(name);
            Change::Run { command, undo, files: Vec::new(), intention: None }
        });
    }
    for folder in UNITS {
        for name in host.list(folder)?.into_iter().filter(is_swap) {
            if seen.contains(&name) {
                continue;
            }
            let text = host.read(format!("{folder}/{name}"))?.unwrap_or_default();
            seen.push(name.clone());
            // The unit that systemd makes from a line of fstab goes with
            // that line.
            if text.lines().any(|line| line.trim() == "SourcePath=/etc/fstab") {
                continue;
            }
            if folder.contains("generator") {
                // A disk, and so its unit, may have another name at
                // the next boot. Only this target starts all of them.
                if !changes.iter().any(|one| one.to_string().ends_with("mask swap.target")) {
                    changes.extend(masked("swap.target")?);
                }
            }
            changes.extend(masked(&name)?);
        }
    }
    changes.extend(removed);
    Ok(changes)
}

/// A file's text with the lines that `is_meant` picks as comments. All other bytes
/// stay.
fn without(text: &[u8], is_meant: fn(&str) -> bool) -> Vec<u8> {
    let line = |line| {
        let comment: &[u8] = if is_meant(&shown(line)) { b"# kubeferry: " } else { b"" };
        [comment, line]
    };
    lines(text).flat_map(line).collect::<Vec<_>>().concat()
}

/// Whether it is a line for swap: the third field is the type (fstab(5)).
fn is_swap(line: &str) -> bool {
    let is_comment = line.trim_start().starts_with('#');
    !is_comment && line.split_ascii_whitespace().nth(2) == Some("swap")
}

/// Whether the line makes Azure's agent create swap (its README, "Configuration").
fn is_agents(line: &str) -> bool {
    let is_key = |key: &str| key.trim() == "ResourceDisk.EnableSwap";
    let value = line.split_once('=').filter(|(key, _)| is_key(key)).map(|(_, value)| value);
    value.is_some_and(|value| value.trim().to_lowercase().starts_with('y'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_swap_become_comments() {
        let text = "# /dev/sda2 none swap sw 0 0\n\
                    UUID=1 / xfs defaults 0 0\n\
                    \t/dev/mapper/cl-swap\tnone\tswap\tdefaults\t0 0\n\
                    /swap /srv/swap ext4 defaults 0 0\n";
        let expected = "# /dev/sda2 none swap sw 0 0\n\
                    UUID=1 / xfs defaults 0 0\n\
                    # kubeferry: \t/dev/mapper/cl-swap\tnone\tswap\tdefaults\t0 0\n\
                    /swap /srv/swap ext4 defaults 0 0\n";
        assert_eq!(without(text.as_bytes(), is_swap), expected.as_bytes());
        assert_eq!(without(expected.as_bytes(), is_swap), expected.as_bytes());
    }

    #[test]
    fn all_other_bytes_stay() {
        let long = [&b"# "[..], &b"x".repeat(100_000), b"\n"].concat();
        for (before, after) in [
            (&b"UUID=1 / xfs defaults 0 0"[..], &b"UUID=1 / xfs defaults 0 0"[..]),
            (b"/a none swap sw 0 0", b"# kubeferry: /a none swap sw 0 0"),
            (b"# Stra\xdfe\r\n/a none swap\r\n", b"# Stra\xdfe\r\n# kubeferry: /a none swap\r\n"),
            (
                b"\r\n\n//nas/x /x cifs password=\xff\r\n",
                b"\r\n\n//nas/x /x cifs password=\xff\r\n",
            ),
            (&long, &long),
            (b"", b""),
        ] {
            assert_eq!(without(before, is_swap), after, "{}", String::from_utf8_lossy(before));
        }
    }
}
