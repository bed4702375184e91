//! Swap: off now and at every boot. kubelet does not start with it.

use super::lines::{lines, shown};
use super::{file, unit_is};
use crate::change::Change;
use crate::exec::Command;
use crate::host::Host;
use crate::step::{Node, Step};

const FSTAB: &str = "/etc/fstab";

/// See the module.
pub struct Swap;

impl Step for Swap {
    fn name(&self) -> &'static str {
        "swap"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        changes(node.host)
    }
}

/// What switches it off now and at each boot.
pub(crate) fn changes(host: &Host) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    // First, so that at a reset fstab has its lines again before swap is
    // switched on.
    let swaps = host.read("/proc/swaps")?.unwrap_or_default();
    if swaps.lines().nth(1).is_some() {
        changes.push(Change::run_undone_by("swapoff -a", "swapon -a --ifexists"));
    }
    if let Some(text) = host.bytes(FSTAB)? {
        let without = without_swap(&text);
        if without != text {
            changes.extend(file(host, FSTAB, &without)?);
        }
    }
    // zram-generator(8) makes swap of memory at boot; an empty file of this
    // name stops it.
    let generator = "/etc/systemd/zram-generator.conf";
    if host.exists("/usr/lib/systemd/system-generators/zram-generator")
        && host.read(generator)?.as_deref() != Some("")
    {
        changes.extend(file(host, generator, "")?);
    }
    let question = "systemctl list-unit-files --type=swap --no-legend --plain";
    let units = host.answer(&Command::of(question))?.stdout;
    for unit in units.lines().filter_map(|line| line.split_ascii_whitespace().next()) {
        // What systemd makes of fstab goes with the line there.
        let own = host.exists(format!("/etc/systemd/system/{unit}"))
            || host.exists(format!("/usr/lib/systemd/system/{unit}"));
        if own && !unit_is(host, "masked", unit)? {
            changes.push(Change::run_undone_by(
                &format!("systemctl mask {unit}"),
                &format!("systemctl unmask {unit}"),
            ));
        }
    }
    Ok(changes)
}

/// fstab(5) with its swap lines as comments: the third of a line's fields is its
/// type. All other bytes stay.
fn without_swap(text: &[u8]) -> Vec<u8> {
    let is_swap = |line: &str| {
        let is_comment = line.trim_start().starts_with('#');
        !is_comment && line.split_ascii_whitespace().nth(2) == Some("swap")
    };
    let line = |line| {
        let comment: &[u8] = if is_swap(&shown(line)) { b"# kubeferry: " } else { b"" };
        [comment, line]
    };
    lines(text).flat_map(line).collect::<Vec<_>>().concat()
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
        assert_eq!(without_swap(text.as_bytes()), expected.as_bytes());
        assert_eq!(without_swap(expected.as_bytes()), expected.as_bytes());
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
            assert_eq!(without_swap(before), after, "{}", String::from_utf8_lossy(before));
        }
    }
}
