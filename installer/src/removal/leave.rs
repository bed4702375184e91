//! This master's own member leaves etcd, before its data go. Otherwise the others would
//! go on counting it, and a cluster of two would stand still.

use crate::failure::Failure;
use crate::host::Host;
use crate::node::etcd::{Member, Own, RunningEtcd};
use crate::node::join::JoinFile;
use crate::node::paths::STATIC_PODS;
use crate::node::systemd::unit_is;
use crate::receipt::StepName;

/// How long etcd may take to answer after a boot, in seconds.
const PATIENCE: u32 = 120;

/// Has this node's member leave etcd, if other masters have members too. Returns whether
/// it left. An error if the others would then have no quorum, or if that is unknown.
pub fn leave(host: &mut Host, step: StepName) -> anyhow::Result<bool> {
    let pod = format!("{STATIC_PODS}/etcd.yaml");
    if !host.exists(&pod) || !JoinFile::may_have_other_masters(host) {
        return Ok(false);
    }
    // Without kubelet, nothing starts etcd. The others do without it already.
    if !unit_is(host, "active", "kubelet")? && running(host).is_none() {
        return Ok(false);
    }
    drop(host.await_that("etcd", PATIENCE, |host| Ok(Place::of(host).is_some())));
    match Place::of(host) {
        Some(Place::Voter { etcd, own, members }) if members.len() > 1 => {
            let Some(member) = members.iter().find(|member| own.is(member)) else {
                return Ok(false);
            };
            host.run(step, &etcd.removal(member), &[], &[], None).map_err(|error| {
                let what = "this node's member cannot leave etcd";
                let cure = "take out those masters first that do not work: `installer remove NODE`, \
                            on one that does";
                Failure::new(what, cure).because(error)
            })?;
            Ok(true)
        }
        Some(_) => Ok(false),
        None => Err(Failure::new(
            "etcd on this node has no quorum, so its member cannot leave",
            format!(
                "start the other masters; or, if the whole cluster is to go, `mv {pod} /root/`, \
                 and run this again"
            ),
        )
        .into()),
    }
}

/// What this node's etcd is among the others.
enum Place {
    /// It has no vote, so nobody counts on it.
    Learner,
    /// It has a vote, and there is a quorum.
    Voter { etcd: RunningEtcd, own: Own, members: Vec<Member> },
}

impl Place {
    /// None if etcd does not say.
    fn of(host: &Host) -> Option<Self> {
        let etcd = running(host)?;
        let own = etcd.own(host).ok()??;
        if own.is_learner {
            return Some(Self::Learner);
        }
        let members = etcd.members(host).ok()?;
        Some(Self::Voter { etcd, own, members })
    }
}

fn running(host: &Host) -> Option<RunningEtcd> {
    RunningEtcd::running(host).ok().flatten()
}
