//! containerd's configuration: CRI on, the bundle's sandbox image, the cluster's
//! cgroup driver. Then it is started anew, and must answer CRI.

mod edit;
mod networks;
mod told;

use anyhow::Context;

use self::edit::configured;
use super::crictl::SOCKET;
use super::{claims, enabled, file, file_for, unit_is};
use crate::change::Change;
use crate::exec::Command;
use crate::step::{Node, Step};

pub(crate) use self::networks::{NETWORKS, networks};
pub(crate) use self::told::told;

/// Its configuration.
pub(crate) const PATH: &str = "/etc/containerd/config.toml";
/// Folders that it makes when it starts, and fills.
const FOLDERS: [&str; 3] = ["/etc/cni", "/opt/containerd", "/var/lib/containerd"];

/// See the module.
pub struct Containerd;

impl Step for Containerd {
    fn name(&self) -> &'static str {
        "containerd"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let before = host.text(PATH)?.unwrap_or_default();
        let major = node.intent.lock().containerd.as_deref().map_or(1, major);
        let sandbox = node.intent.lock().sandbox_image.as_ref();
        let text = configured(&before, major, sandbox, node.intent.cluster.cgroup_driver)
            .with_context(|| format!("editing {PATH}"))?;
        let mut changes = if unit_is(host, "active", "containerd")? {
            file_for(host, self.name(), PATH, &text, "systemctl restart containerd")?
        } else {
            let mut changes = claims(host, &FOLDERS)?;
            changes.extend(file(host, PATH, &text)?);
            changes
        };
        changes.extend(enabled(host, "containerd")?);
        if !changes.is_empty() {
            // systemd has it as started before its CRI is.
            let command = Command::of(&format!("crictl --runtime-endpoint {SOCKET} info"));
            changes.push(Change::Await { command, seconds: 60 });
        }
        Ok(changes)
    }

    fn cure(&self) -> Option<&'static str> {
        Some("`journalctl -u containerd` says why; mend that, and run this again")
    }
}

fn major(version: &str) -> u32 {
    version.split('.').next().and_then(|word| word.parse().ok()).unwrap_or(1)
}
