//! A further master: `kubeadm join`, with a member of etcd of its own.

use serde_json::Value;

use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::node::join::JoinFile;
use crate::node::kubeadm;
use crate::node::kubectl::kubectl;
use crate::node::paths::{ADMIN_CONF, ETCD, ETCD_MEMBER, KUBEADM_CONFIG, STATIC_PODS};
use crate::node::standing::{self, Standing};
use crate::receipt::StepName;
use crate::steps::file::{claims, secret_file};
use crate::steps::joining;

/// The label that kubeadm gives a master, when all else of it is done.
const LABEL: &str = "node-role.kubernetes.io/control-plane";

pub(super) fn changes(
    node: &Node<'_>,
    step: StepName,
    join: &JoinFile,
) -> anyhow::Result<Vec<Change>> {
    let (host, intent) = (node.host, node.intent);
    let question =
        format!("{} --request-timeout 10s get node {}", kubectl(ADMIN_CONF), intent.name);
    match standing::standing(host, step, ETCD_MEMBER, ADMIN_CONF, &question)? {
        Standing::In if !host.was_interrupted(step) || is_labelled(host, &question) => {
            return Ok(joining::left(host));
        }
        Standing::Waiting(command) => {
            return Ok(vec![Change::Await { command, seconds: standing::PATIENCE }]);
        }
        Standing::In | Standing::Out => {}
    }
    let mut changes = claims(host, &[ETCD])?;
    // As if this one had been the first: kubeadm's other commands read it.
    let text = kubeadm::init_configuration(&intent.settings())?;
    changes.extend(secret_file(host, KUBEADM_CONFIG, &text)?);
    if host.was_interrupted(step) && host.exists(format!("{STATIC_PODS}/etcd.yaml")) {
        // kubeadm's reset would go on if the member cannot leave, and empty its disk.
        // The other members would then count on one that has lost its data.
        changes.push(Change::Own(OfInstall::LeaveEtcd));
    }
    changes.extend(joining::changes(node, step, join, &question)?);
    Ok(changes)
}

fn is_labelled(host: &Host, question: &str) -> bool {
    let said = host.query(&format!("{question} --output=json"));
    let node: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
    node.pointer("/metadata/labels").is_some_and(|labels| labels.get(LABEL).is_some())
}
