//! SELinux stays as it is, and the policy for containers comes as a package. It
//! becomes permissive only if the cluster file says so.

use bundle_format::cluster::Selinux;

use super::lines::lines;
use crate::engine::step::Step;
use crate::failure::Failure;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::receipt::StepName;
use crate::steps::file::file;

/// `/etc/sysconfig/selinux` is a link to this file, or is not read.
const CONFIGURATION: &str = "/etc/selinux/config";
const ENFORCING: &[u8] = b"enforcing";

/// Makes SELinux permissive, if the cluster file says so.
pub struct SelinuxPolicy;

impl Step<Intent> for SelinuxPolicy {
    fn name(&self) -> StepName {
        StepName::Selinux
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let enforce = node.host.read("/sys/fs/selinux/enforce")?;
        if node.intent.cluster.selinux == Selinux::Leave || enforce.is_none() {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        let line = node.host.read("/proc/cmdline")?.unwrap_or_default();
        if line.split_ascii_whitespace().any(|word| word == "enforcing=1") {
            return Err(Failure::new(
                "the kernel was started with `enforcing=1`, which overrides /etc/selinux/config",
                "`grubby --update-kernel ALL --remove-args enforcing`, and restart the node",
            )
            .into());
        }
        if enforce.as_deref().map(str::trim) == Some("1") {
            changes.push(Change::run_undone_by("setenforce 0", "setenforce 1"));
        }
        if let Some(text) = node.host.bytes(CONFIGURATION)? {
            changes.extend(file(node.host, CONFIGURATION, &permissive(&text))?);
        }
        Ok(changes)
    }
}

/// The file's text with the word for enforcing replaced. All other bytes stay.
fn permissive(text: &[u8]) -> Vec<u8> {
    let line = |line: &[u8]| match enforcing(line) {
        Some(at) => {
            let (key, rest) = line.split_at(at);
            [key, b"permissive", rest.get(ENFORCING.len()..).unwrap_or_default()].concat()
        }
        None => line.to_vec(),
    };
    lines(text).flat_map(line).collect()
}

/// Where the word is in a line, by libselinux's rules (`selinux_getenforcemode`): the
/// key begins the line; blanks may stand before the word, and anything after it; case
/// does not matter. libselinux does not accept quotes.
fn enforcing(line: &[u8]) -> Option<usize> {
    let value = line.strip_prefix(b"SELINUX=")?;
    let word = value.trim_ascii_start();
    let is_it = word.get(..ENFORCING.len())?.eq_ignore_ascii_case(ENFORCING);
    is_it.then(|| line.len() - word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_libselinux_takes_for_enforcing_becomes_permissive() {
        let text = "# SELINUX=enforcing\nSELINUX=enforcing\nSELINUXTYPE=targeted\n";
        let expected = "# SELINUX=enforcing\nSELINUX=permissive\nSELINUXTYPE=targeted\n";
        assert_eq!(permissive(text.as_bytes()), expected.as_bytes());
        for (before, after) in [
            ("# \u{df}\r\nSELINUX=enforcing\r\nA=x", "# \u{df}\r\nSELINUX=permissive\r\nA=x"),
            ("SELINUX=enforcing ", "SELINUX=permissive "),
            ("SELINUX=Enforcing\t\r\n", "SELINUX=permissive\t\r\n"),
            ("SELINUX= \tENFORCING # as told", "SELINUX= \tpermissive # as told"),
        ] {
            assert_eq!(String::from_utf8_lossy(&permissive(before.as_bytes())), after);
        }
        for other in [
            "SELINUX=disabled\n",
            "SELINUX=enforce\n",
            "SELINUX=\"enforcing\"\n",
            "SELINUX='enforcing'",
            " SELINUX=enforcing",
            "SELINUX =enforcing",
            "selinux=enforcing",
            "SELINUXTYPE=enforcing",
        ] {
            assert_eq!(permissive(other.as_bytes()), other.as_bytes(), "{other}");
        }
    }
}
