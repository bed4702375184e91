//! SELinux: left as it is, with the policy for containers that comes as a
//! package, unless the cluster file asks for permissive.

use bundle_format::cluster::Selinux;

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
        if let Some(text) = node.host.text(CONFIGURATION)? {
            let permissive = permissive(&text);
            if permissive != text {
                changes.push(Change::write(CONFIGURATION, permissive));
            }
        }
        Ok(changes)
    }
}

fn permissive(text: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        Some(("SELINUX", "enforcing")) => "SELINUX=permissive\n".to_owned(),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_enforcing_becomes_permissive() {
        let text = "# SELINUX=enforcing\nSELINUX=enforcing\nSELINUXTYPE=targeted\n";
        let expected = "# SELINUX=enforcing\nSELINUX=permissive\nSELINUXTYPE=targeted\n";
        assert_eq!(permissive(text), expected);
        assert_eq!(permissive("SELINUX=disabled\n"), "SELINUX=disabled\n");
    }
}
