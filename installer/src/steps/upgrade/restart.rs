//! containerd and kubelet start again, in the versions that were installed. Pods keep
//! running meanwhile.

use bundle_format::KubernetesVersion;
use bundle_format::cluster::NodeName;

use crate::engine::change;
use crate::engine::step::Step;
use crate::exec::Command;
use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::kubeadm::own_readyz;
use crate::node::kubectl::{kubectl, readyz};
use crate::node::{kubelet_arguments, quorum, registered};
use crate::receipt::{Deed, Line, StepName, since_upgrade};
use crate::role::Role;
use crate::steps::containerd::cri_answers;
use crate::steps::packages;

/// Restarts what is older than its package.
pub struct Restart;

impl Step<Intent> for Restart {
    fn name(&self) -> StepName {
        StepName::Restart
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let mut changes = Vec::new();
        let of_kubelet =
            is_stale(node, &["kubelet", "kubeadm"], "kubelet")? || !is_registered(node);
        let is_master = node.intent.role == Role::Master;
        if of_kubelet && is_master {
            changes.push(Change::run("systemctl stop kubelet"));
        }
        if is_stale(node, &["containerd.io", "containerd"], "containerd")? {
            changes.extend([Change::run("systemctl restart containerd"), cri_answers()]);
        }
        if !of_kubelet {
            return Ok(changes);
        }
        if is_master {
            // A kubelet of another minor release takes its static pods for new ones, and
            // would end the old ones some time later, while their ports are still in use.
            changes.push(Change::Own(OfInstall::EndControlPlane));
        }
        changes.extend([
            Change::run("systemctl daemon-reload"),
            Change::run("systemctl restart kubelet"),
        ]);
        let (role, name) = (node.intent.role, &node.intent.name);
        changes.extend(registration(node.host, role, name, &node.intent.lock().kubernetes)?);
        Ok(changes)
    }

    fn before(&self, node: &Node<'_>) -> anyhow::Result<()> {
        let mut refused = kubelet_arguments::refused(node.host)?;
        if refused.is_none() && node.intent.role == Role::Master {
            // An upgrade that goes on after a while was not asked this at its beginning.
            refused = quorum::at_risk(node.host)?;
        }
        refused.map_or(Ok(()), |refused| Err(refused.into()))
    }

    fn cure(&self) -> Option<&'static str> {
        Some(
            "`journalctl -u kubelet` and `journalctl -u containerd` say why; fix that, and run this \
             again; or go back with `installer upgrade --back`",
        )
    }
}

/// Waits until the API server is ready, on a master its own, and knows the node's kubelet in
/// this version.
pub(crate) fn registration<C>(
    host: &Host,
    role: Role,
    name: &NodeName,
    version: &KubernetesVersion,
) -> anyhow::Result<[change::Change<C>; 2]> {
    let wait = format!(
        "{} wait --for=jsonpath={{.status.nodeInfo.kubeletVersion}}=v{version} node/{name} \
         --timeout=10s",
        kubectl(role.kubeconfig())
    );
    let ready = match role {
        Role::Master => own_readyz(host)?,
        Role::Worker => readyz(role.kubeconfig()),
    };
    Ok([ready, Command::of(&wait)].map(|command| change::Change::Await { command, seconds: 300 }))
}

/// Whether containerd or kubelet is still to be restarted.
pub(super) fn is_due(node: &Node<'_>) -> anyhow::Result<bool> {
    Ok(!Restart.changes(node)?.is_empty())
}

/// Whether one of these packages is still to be installed, or was installed after the unit
/// was restarted last.
fn is_stale(node: &Node<'_>, names: &[&str], unit: &str) -> anyhow::Result<bool> {
    let is_meant = |name: &str| names.contains(&name);
    let missing = packages::missing(node.host, node.intent)?;
    if node.host.was_interrupted(StepName::Restart)
        || missing.iter().any(|package| is_meant(&package.name))
    {
        return Ok(true);
    }
    let lines = since_upgrade(node.host.lines());
    let installed = lines.iter().rposition(|line| match line {
        Line::Deed { deed: Deed::Installed { came, replaced, .. }, .. } => {
            let mut all = came.iter().chain(replaced.iter().map(|one| &one.is));
            all.any(|package| is_meant(&package.name))
        }
        _ => false,
    });
    let restart = Command::of(&format!("systemctl restart {unit}"));
    let restarted = lines.iter().rposition(|line| {
        matches!(line, Line::Deed { deed: Deed::Ran { command, .. }, .. } if *command == restart)
    });
    Ok(installed > restarted)
}

/// Whether the API server knows kubelet in its new version.
fn is_registered(node: &Node<'_>) -> bool {
    let version = format!("v{}", node.intent.lock().kubernetes);
    registered::ask(node.host).is_ok_and(|known| known.is_some_and(|one| one.kubelet == version))
}
