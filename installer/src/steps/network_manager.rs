//! NetworkManager, where there is one, leaves the interfaces of pods alone
//! (rancher/rke2#786), and those that a site has it leave alone (`+=`,
//! NetworkManager.conf(5)).

use crate::engine::step::Step;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::systemd::unit_is;
use crate::receipt::StepName;
use crate::steps::file::{file, file_for};

const PATH: &str = "/etc/NetworkManager/conf.d/kubeferry.conf";
const TEXT: &str = "# Written by kubeferry.\n[keyfile]\nunmanaged-devices+=interface-name:cali*;\
interface-name:cni*;interface-name:flannel*;interface-name:kube-ipvs*;interface-name:tunl*;\
interface-name:veth*;interface-name:vxlan*\n";

/// See the module.
pub struct NetworkManager;

impl Step<Intent> for NetworkManager {
    fn name(&self) -> StepName {
        StepName::NetworkManager
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        if !node.host.exists("/etc/NetworkManager") {
            return Ok(Vec::new());
        }
        if !unit_is(node.host, "active", "NetworkManager")? {
            return file(node.host, PATH, TEXT);
        }
        file_for(node.host, self.name(), PATH, TEXT, "systemctl reload NetworkManager")
    }
}
