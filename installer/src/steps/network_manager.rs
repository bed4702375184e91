//! NetworkManager, where there is one, leaves the interfaces of pods alone
//! (rancher/rke2#786).

use super::file;
use crate::change::Change;
use crate::step::{Node, Step};

const PATH: &str = "/etc/NetworkManager/conf.d/kubeferry.conf";
const TEXT: &str = "# Written by kubeferry.\n[keyfile]\nunmanaged-devices=interface-name:cali*;\
interface-name:cni*;interface-name:flannel*;interface-name:kube-ipvs*;interface-name:tunl*;\
interface-name:veth*;interface-name:vxlan*\n";

/// See the module.
pub struct NetworkManager;

impl Step for NetworkManager {
    fn name(&self) -> &'static str {
        "network-manager"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        if !node.host.exists("/etc/NetworkManager") {
            return Ok(Vec::new());
        }
        let mut changes = file(node.host, PATH, TEXT)?;
        let is_new = !changes.is_empty() || node.host.was_interrupted(self.name());
        if is_new && super::unit_is(node.host, "active", "NetworkManager") {
            let reload = "systemctl reload NetworkManager";
            changes.push(Change::run_undone_by(reload, reload));
        }
        Ok(changes)
    }
}
