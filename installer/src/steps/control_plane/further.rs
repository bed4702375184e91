//! A further master: `kubeadm join`, with a member of etcd of its own.

use serde_json::Value;

use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::node::etcd::RunningEtcd;
use crate::node::join::JoinFile;
use crate::node::kubeadm;
use crate::node::kubectl::kubectl;
use crate::node::paths::{ADMIN_CONF, ETCD, ETCD_MEMBER, KUBEADM_CONFIG, STATIC_PODS};
use crate::node::registered;
use crate::node::standing::{self, Standing};
use crate::receipt::StepName;
use crate::steps::file::{claims, secret_file};
use crate::steps::joining;

pub(super) fn changes(
    node: &Node<'_>,
    step: StepName,
    join: &JoinFile,
) -> anyhow::Result<Vec<Change>> {
    let (host, intent) = (node.host, node.intent);
    let question =
        format!("{} --request-timeout 10s get node {}", kubectl(ADMIN_CONF), intent.name);
    let is_known = match standing::standing(host, step, ETCD_MEMBER, ADMIN_CONF, &question)? {
        Standing::In if !host.was_interrupted(step) || is_whole(host, &question) => {
            return Ok(joining::left(host));
        }
        Standing::Waiting(command) => {
            return Ok(vec![Change::Await { command, seconds: standing::PATIENCE }]);
        }
        Standing::In => true,
        Standing::Out => false,
    };
    if join.control_plane.is_none() {
        return Err(Failure::new(
            "this join file is for workers, and this master has not joined yet",
            "make one with `installer token --for master` on a master",
        )
        .into());
    }
    let mut changes = claims(host, &[ETCD])?;
    // As if this one had been the first: kubeadm's other commands read it.
    let text = kubeadm::init_configuration(&intent.settings())?;
    changes.extend(secret_file(host, KUBEADM_CONFIG, &text)?);
    let has_etcd = host.exists(format!("{STATIC_PODS}/etcd.yaml")) || host.exists(ETCD_MEMBER);
    if host.was_interrupted(step) && has_etcd {
        // kubeadm's reset would go on if the member cannot leave, and empty its disk.
        // The other members would then count on one that has lost its data.
        changes.push(Change::Own(OfInstall::LeaveEtcd));
    }
    if is_known {
        // kubeadm refuses to join under the name of a node that is Ready.
        let line = format!("{} delete node {}", kubectl(ADMIN_CONF), intent.name);
        changes.push(Change::run(&line));
    }
    changes.extend(joining::changes(node, step, join, &question)?);
    Ok(changes)
}

/// Whether an interrupted join had come to its end: kubeadm has labelled the node, and its
/// member of etcd has a vote.
fn is_whole(host: &Host, question: &str) -> bool {
    let votes = || -> anyhow::Result<bool> {
        let Some(etcd) = RunningEtcd::running(host)? else { return Ok(false) };
        let members = etcd.members(host)?;
        Ok(etcd.own(&members).is_some_and(|own| !own.is_learner))
    };
    is_labelled(host, question) && votes().unwrap_or(false)
}

fn is_labelled(host: &Host, question: &str) -> bool {
    let said = host.query(&format!("{question} --output=json"));
    let node: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
    node.pointer("/metadata/labels").is_some_and(|labels| labels.get(registered::MASTER).is_some())
}
