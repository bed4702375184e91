//! NetworkManager, if it is installed: it leaves the pods' interfaces alone
//! (rancher/rke2#786), besides those that the site excludes (`+=`,
//! NetworkManager.conf(5)).

use crate::engine::step::Step;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::systemd::unit_is;
use crate::receipt::StepName;
use crate::steps::file::{file, reread};

const FOLDER: &str = "/etc/NetworkManager/conf.d";
const NAME: &str = "kubeferry.conf";
const TEXT: &str = "# Written by kubeferry.\n[keyfile]\nunmanaged-devices+=interface-name:cali*;\
interface-name:cni*;interface-name:flannel*;interface-name:kube-ipvs*;interface-name:tunl*;\
interface-name:veth*;interface-name:vxlan*\n";

/// Tells NetworkManager to leave the pods' interfaces alone.
pub struct NetworkManager;

impl Step<Intent> for NetworkManager {
    fn name(&self) -> StepName {
        StepName::NetworkManager
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        if !node.host.exists("/etc/NetworkManager") {
            return Ok(Vec::new());
        }
        let host = node.host;
        let mut changes = file(host, &format!("{FOLDER}/{NAME}"), TEXT)?;
        if let Some(path) = after_all(host)? {
            changes.extend(file(host, &path, TEXT)?);
        }
        if !unit_is(host, "active", "NetworkManager")? {
            return Ok(changes);
        }
        Ok(reread(host, self.name(), changes, "systemctl reload NetworkManager"))
    }
}

/// The second file that we need if a later file of the site replaces the list of
/// excluded devices; none if no file does. Files in other folders are read before
/// these.
fn after_all(host: &Host) -> anyhow::Result<Option<String>> {
    let mut last = None;
    for name in host.list(FOLDER)? {
        let Some(stem) = name.strip_suffix(".conf").filter(|_| name.as_str() > NAME) else {
            continue;
        };
        if replaces(&host.read(format!("{FOLDER}/{name}"))?.unwrap_or_default()) {
            last = Some(format!("{FOLDER}/{stem}.kubeferry.conf"));
        }
    }
    Ok(last)
}

/// Whether a file replaces the list of excluded devices.
fn replaces(text: &str) -> bool {
    let mut section = "";
    text.lines().map(str::trim).any(|line| {
        if line.starts_with('[') {
            section = line;
        }
        let key = line.split_once('=').map_or("", |(key, _)| key.trim());
        section == "[keyfile]" && key == "unmanaged-devices"
    })
}
