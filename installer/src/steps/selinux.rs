//! SELinux: left as it is, with the policy for containers that comes as a
//! package, unless the cluster file asks for permissive.

use bundle_format::cluster::Selinux;

use super::file;
use super::lines::{lines, shown};
use crate::change::Change;
use crate::step::{Node, Step};

const CONFIGURATION: &str = "/etc/selinux/config";

/// See the module.
pub struct SelinuxPolicy;

impl Step for SelinuxPolicy {
    fn name(&self) -> &'static str {
        "selinux"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let enforce = node.host.read("/sys/fs/selinux/enforce")?;
        if node.intent.cluster.selinux == Selinux::Leave || enforce.is_none() {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        if enforce.as_deref() == Some("1") {
            changes.push(Change::run_undone_by("setenforce 0", "setenforce 1"));
        }
        if let Some(text) = node.host.bytes(CONFIGURATION)? {
            changes.extend(file(node.host, CONFIGURATION, &permissive(&text))?);
        }
        Ok(changes)
    }
}

/// selinux(8): `SELINUX=enforcing`, as its library reads it. All other bytes stay.
fn permissive(text: &[u8]) -> Vec<u8> {
    let line = |line| match shown(line).split_once('=') {
        Some((key, mode)) if key.trim() == "SELINUX" && mode.trim() == "enforcing" => {
            let end: &[u8] = if line.ends_with(b"\n") { b"\n" } else { b"" };
            [b"SELINUX=permissive", end].concat()
        }
        _ => line.to_vec(),
    };
    lines(text).flat_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_enforcing_becomes_permissive() {
        let text = "# SELINUX=enforcing\nSELINUX=enforcing\nSELINUXTYPE=targeted\n";
        let expected = "# SELINUX=enforcing\nSELINUX=permissive\nSELINUXTYPE=targeted\n";
        assert_eq!(permissive(text.as_bytes()), expected.as_bytes());
        for (before, after) in [
            (&b"SELINUX=disabled\n"[..], &b"SELINUX=disabled\n"[..]),
            (b"# \xdf\r\nSELINUX=enforcing\r\nA=x", b"# \xdf\r\nSELINUX=permissive\nA=x"),
            (b" SELINUX=enforcing ", b"SELINUX=permissive"),
        ] {
            assert_eq!(permissive(before), after);
        }
    }
}
