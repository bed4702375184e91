//! A route to Services, on a node without a default route. Without any route the
//! kernel refuses a packet to a Service before kube-proxy's rules see it, and then
//! the node's own programs cannot reach the API by its Service.

use crate::engine::step::Step;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::receipt::StepName;
use crate::steps::file::file_for;
use crate::steps::unit::enabled;

/// The unit.
pub(crate) const UNIT: &str = "kubeferry-service-route.service";
/// The unit's file.
pub(crate) const PATH: &str = "/etc/systemd/system/kubeferry-service-route.service";
/// The line that sets the route, before the network and the interface.
pub(crate) const SET: &str = "ExecStart=/usr/sbin/ip route replace ";

/// Sets the route, at each boot.
pub struct ServiceRoute;

impl Step<Intent> for ServiceRoute {
    fn name(&self) -> StepName {
        StepName::ServiceRoute
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let intent = node.intent;
        let interface = intent.facts.interface(intent.address).unwrap_or_default();
        if intent.facts.default_route.is_some() || interface.is_empty() {
            return Ok(Vec::new());
        }
        let network = intent.cluster.service_cidr;
        let text = format!(
            "# Written by kubeferry: this node has no default route.\n[Unit]\n\
             Description=Route to the Services of Kubernetes\n\
             After=network-online.target\nWants=network-online.target\nBefore=kubelet.service\n\n\
             [Service]\nType=oneshot\nRemainAfterExit=yes\n\
             {SET}{network} dev {interface}\n\
             ExecStop=/usr/sbin/ip route delete {network} dev {interface}\n\n\
             [Install]\nWantedBy=multi-user.target\n"
        );
        let mut changes = file_for(node.host, self.name(), PATH, &text, "systemctl daemon-reload")?;
        changes.extend(enabled(node.host, UNIT)?);
        Ok(changes)
    }
}
