//! Kernel settings that Kubernetes needs, in a file of their own, and read back
//! from the kernel.

use super::file;
use crate::change::Change;
use crate::step::{Node, Step};

/// Where they are, for every boot.
pub(crate) const PATH: &str = "/etc/sysctl.d/99-kubeferry.conf";

/// What pods' traffic needs; without swap there is nothing to be swapped.
pub(crate) const SETTINGS: [(&str, &str); 3] = [
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.ipv4.ip_forward", "1"),
];

/// See the module.
pub struct Sysctl;

impl Step for Sysctl {
    fn name(&self) -> &'static str {
        "sysctl"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let text: String =
            SETTINGS.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let mut changes = file(node.host, PATH, &text)?;
        for (key, value) in SETTINGS {
            let path = format!("/proc/sys/{}", key.replace('.', "/"));
            let now = node.host.read(path)?.map(|text| text.trim().to_owned());
            if now.as_deref() != Some(value) {
                let set = |value: &str| format!("sysctl -w {key}={value}");
                changes
                    .push(Change::run_undone_by(&set(value), &set(now.as_deref().unwrap_or("0"))));
            }
        }
        Ok(changes)
    }
}
