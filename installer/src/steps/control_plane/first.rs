//! The first master: `kubeadm init`, for a new cluster, or on what a backup has of one.

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::node::kubeadm::{self, FOLDERS, RESET};
use crate::node::kubectl::{kubectl, readyz};
use crate::node::paths::{ADMIN_CONF, ETCD, ETCD_MEMBER, KUBEADM_CONFIG, KUBEADM_JOINED};
use crate::node::registered;
use crate::node::standing::{self, Standing};
use crate::receipt::StepName;
use crate::steps::file::{claims, secret_file};
use crate::steps::restore;

pub(super) fn changes(node: &Node<'_>, step: StepName) -> anyhow::Result<Vec<Change>> {
    let host = node.host;
    if host.exists(KUBEADM_JOINED) {
        return Err(Failure::new(
            "this node belongs to a cluster, or was joining one, by a join file",
            "give a join file with --join; or, to begin a new cluster, run `installer reset` first",
        )
        .into());
    }
    // kube-proxy is the last thing that `kubeadm init` makes.
    let question = format!(
        "{} --request-timeout 10s -n kube-system get daemonset kube-proxy",
        kubectl(ADMIN_CONF)
    );
    restore::refusal(host, node.intent)?;
    match restore::progress(host) {
        restore::Progress::Begun => {}
        restore::Progress::Serving => return Ok(restore::rest(&question)),
        restore::Progress::None if is_still_in(host, step) => return Ok(Vec::new()),
        restore::Progress::None => {
            match standing::standing(host, step, ETCD_MEMBER, ADMIN_CONF, &question)? {
                Standing::In => return Ok(Vec::new()),
                // When the API server answers, the step is asked again.
                Standing::Waiting(_) => {
                    let command = readyz(ADMIN_CONF);
                    return Ok(vec![Change::Await { command, seconds: standing::PATIENCE }]);
                }
                Standing::Out => {}
            }
        }
    }
    let mut changes = claims(host, &[&FOLDERS[..], &[ETCD]].concat())?;
    let text = kubeadm::init_configuration(&node.intent.settings())?;
    changes.extend(secret_file(host, KUBEADM_CONFIG, &text)?);
    if host.was_interrupted(step) {
        // kubeadm refuses what an interrupted `init` left.
        changes.push(Change::run(RESET));
    }
    let mut init = Command::of("kubeadm init --skip-token-print");
    if let Some(backup) = &node.intent.restore {
        changes.extend(restore::changes(node, backup)?);
        init = init.with("--ignore-preflight-errors=DirAvailable--var-lib-etcd");
    }
    changes.push(Change::Run {
        command: init.with("--config").with(KUBEADM_CONFIG),
        undo: vec![Command::of(RESET)],
        files: Vec::new(),
        intention: None,
    });
    Ok(changes)
}

/// Whether the cluster of a finished master still has a node with the label of masters. kubeadm
/// sets this label, and a kubelet may not (kubernetes.io, "NodeRestriction"), so a new and empty
/// cluster has no such node. kube-proxy is not asked for first, because a site may have removed
/// it. Other steps of a plan ask for the nodes too, so this takes no further kubectl.
fn is_still_in(host: &Host, step: StepName) -> bool {
    host.was_finished(step)
        && host.exists(ETCD_MEMBER)
        && host.exists(ADMIN_CONF)
        && registered::masters(host).is_ok_and(|masters| !masters.is_empty())
}
