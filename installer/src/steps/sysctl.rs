//! Kernel settings that Kubernetes needs, in a file of their own, and read back
//! from the kernel.

use super::file;
use crate::change::Change;
use crate::exec::Command;
use crate::host::Host;
use crate::step::{Node, Step};

/// Where they are, for every boot.
pub(crate) const PATH: &str = "/etc/sysctl.d/99-kubeferry.conf";

/// What pods' traffic needs. The first is there only where the kernel has IPv6.
const SETTINGS: [(&str, &str); 3] = [
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.ipv4.ip_forward", "1"),
];

/// The settings that this node needs.
pub(crate) fn settings(host: &Host) -> impl Iterator<Item = (&'static str, &'static str)> {
    let has_ipv6 = host.exists("/proc/sys/net/ipv6");
    SETTINGS.into_iter().filter(move |(key, _)| has_ipv6 || !key.ends_with("ip6tables"))
}

/// What the kernel has for a key; none before its module is loaded.
pub(crate) fn now(host: &Host, key: &str) -> anyhow::Result<Option<String>> {
    let text = host.read(format!("/proc/sys/{}", key.replace('.', "/")))?;
    Ok(text.map(|text| text.trim().to_owned()))
}

/// See the module.
pub struct Sysctl;

impl Step for Sysctl {
    fn name(&self) -> &'static str {
        "sysctl"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let text: String =
            settings(host).map(|(key, value)| format!("{key} = {value}\n")).collect();
        let mut changes = file(host, PATH, &text)?;
        let mut undo = Vec::new();
        for (key, value) in settings(host) {
            let now = now(host, key)?;
            if now.as_deref() != Some(value) {
                let old = now.unwrap_or_else(|| "0".to_owned());
                undo.push(Command::of("sysctl -w").with(format!("{key}={old}")));
            }
        }
        // Also with a new file alone: what a module that is not loaded yet will
        // have set by then, a plan cannot know.
        if !changes.is_empty() || !undo.is_empty() {
            let command = Command::of("sysctl --load").with(PATH);
            changes.push(Change::Run { command, undo, files: Vec::new() });
        }
        Ok(changes)
    }
}
