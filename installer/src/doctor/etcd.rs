//! etcd with several members: one that does not run, or too few that do.

use super::finding::Finding;
use crate::host::Host;
use crate::node::etcd::RunningEtcd;
use crate::node::join::JoinFile;
use crate::node::paths::STATIC_PODS;

/// This node's own etcd does not run. The other masters may serve the cluster without it,
/// until one more fails.
pub(super) fn stopped(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !is_one_of_several(host) || RunningEtcd::running(host)?.is_some() {
        return Ok(None);
    }
    Ok(Some(Finding::new(
        "etcd does not run on this master",
        "tail -n 5 /var/log/pods/kube-system_etcd-*/*/*.log, which says why",
    )))
}

/// Too few of the members answer, or not all.
pub(super) fn members(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !is_one_of_several(host) {
        return Ok(None);
    }
    let Some(etcd) = RunningEtcd::running(host)? else { return Ok(None) };
    // A member that does not answer yet, or has no vote, knows nothing of the others.
    if etcd.own(host)?.is_none_or(|own| own.is_learner) {
        return Ok(None);
    }
    let Ok(members) = etcd.members(host) else {
        return Ok(Some(Finding::new(
            "etcd has no quorum: fewer than half of its members answer, so nothing can be changed",
            "start the other masters; if they are lost, restore a backup: ./installer manual backup",
        )));
    };
    let answering = etcd.answering(host, &members);
    let silent = members.iter().zip(answering).filter(|(_, answers)| !answers);
    let silent: Vec<String> = silent.map(|(member, _)| member.called()).collect();
    Ok(silent.first().map(|first| {
        Finding::new(
            format!(
                "of {} members of etcd, these do not answer: {}",
                members.len(),
                silent.join(", ")
            ),
            format!("start that master; if it is lost for good: ./installer remove {first}"),
        )
    }))
}

/// Whether this node is a master whose cluster may have others.
fn is_one_of_several(host: &Host) -> bool {
    host.exists(format!("{STATIC_PODS}/etcd.yaml")) && JoinFile::may_have_other_masters(host)
}
