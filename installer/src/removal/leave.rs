//! This master's own member leaves etcd, before its data go. Otherwise the others would
//! go on counting it, and a cluster of two would stand still.

use super::member::take_out;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::etcd::{Members, RunningEtcd};
use crate::node::kubeadm::{Kept, may_have_other_masters};
use crate::node::kubectl::{kubectl, readyz};
use crate::node::paths::{ADMIN_CONF, ETCD_MEMBER, KUBEADM_CONFIG, KUBEADM_JOINED, STATIC_PODS};
use crate::node::systemd::unit_is;
use crate::receipt::{self, StepName};

/// How long etcd may take to answer after a boot, in seconds.
const PATIENCE: u32 = 180;

/// Has this node's member leave etcd, if other masters have members too. Returns whether
/// it left. An error if the others would then have no quorum, or if that is unknown.
pub fn leave(host: &mut Host, step: StepName) -> anyhow::Result<bool> {
    let pod = format!("{STATIC_PODS}/etcd.yaml");
    let has_pod = host.exists(&pod);
    if !(has_pod || host.exists(ETCD_MEMBER)) || !may_have_other_masters(host) {
        return Ok(false);
    }
    // Nobody has joined a first master that has never been whole.
    if !host.exists(KUBEADM_JOINED) && !receipt::finished(host.lines(), StepName::ControlPlane) {
        return Ok(false);
    }
    if has_pod && (unit_is(host, "active", "kubelet")? || running(host).is_some()) {
        let is_known = |host: &Host| members(host).is_some() || is_forgotten(host);
        drop(host.await_that("etcd", PATIENCE, |host| Ok(is_known(host))));
    }
    let Some((etcd, members)) = members(host) else {
        // Its own API server needs this etcd. So another one answers, and its etcd has a
        // quorum without this member.
        return if api_answers(host) { Ok(false) } else { Err(needed(&pod).into()) };
    };
    let Some(own) = etcd.own(&members).filter(|_| members.all.len() > 1) else {
        return Ok(false);
    };
    take_out(host, step, &etcd, &members, own).map_err(|error| {
        let what = "this node's member cannot leave etcd";
        let cure = "take out those masters first that do not work: `installer remove NODE` on a \
                    master that works";
        Failure::new(what, cure).because(error)
    })?;
    Ok(true)
}

fn needed(pod: &str) -> Failure {
    Failure::new(
        "neither etcd on this node nor the API server answers: the other masters may need this \
         node's data",
        format!(
            "start kubelet here, and the other masters, and run this again; only if this is the \
             last master, or the whole cluster is to go: `mv {pod} {ETCD_MEMBER} /root/` first"
        ),
    )
}

fn running(host: &Host) -> Option<RunningEtcd> {
    RunningEtcd::running(host).ok().flatten()
}

fn members(host: &Host) -> Option<(RunningEtcd, Members)> {
    let etcd = running(host)?;
    let members = etcd.members(host).ok()?;
    Some((etcd, members))
}

/// Whether the cluster no longer has this node: the etcd of a member that was taken out
/// does not start again.
fn is_forgotten(host: &Host) -> bool {
    let Ok(Some(own)) = Kept::find(host, KUBEADM_CONFIG) else { return false };
    let said =
        host.query(&format!("{} --request-timeout 10s get node {}", kubectl(ADMIN_CONF), own.name));
    said.stderr.contains("(NotFound)")
}

fn api_answers(host: &Host) -> bool {
    host.ask(&readyz(ADMIN_CONF)).succeeded()
}
