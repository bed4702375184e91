//! etcd: an alarm by which it changes nothing any more, and of several members one that does
//! not run, or some that do not answer.

use super::finding::Finding;
use crate::host::Host;
use crate::node::etcd::RunningEtcd;
use crate::node::kubeadm::may_have_other_masters;
use crate::node::paths::STATIC_PODS;

/// etcd has an alarm: its database is full, or damaged. Then it takes no changes.
pub(super) fn alarm(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !host.exists(format!("{STATIC_PODS}/etcd.yaml")) {
        return Ok(None);
    }
    // Another check says why it does not run, or does not answer.
    let Some(etcd) = RunningEtcd::running(host)? else { return Ok(None) };
    let said = host.answer(&etcd.etcdctl("alarm list"))?;
    // `memberID:1234 alarm:NOSPACE`
    let alarm = said.stdout.lines().find_map(|line| line.split_once("alarm:"));
    let Some((_, alarm)) = alarm.filter(|_| said.succeeded()) else { return Ok(None) };
    let cure = match alarm.trim() {
        "NOSPACE" => {
            "delete what fills it, such as Events; then etcdctl's `compact`, `defrag` and `alarm \
             disarm` in etcd's container, as etcd.io says under \"Space quota\""
        }
        _ => "restore a backup: ./installer manual backup",
    };
    let cause = format!("etcd has the alarm {}, and takes no changes", alarm.trim());
    Ok(Some(Finding::new(cause, cure)))
}

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
    let Ok(members) = etcd.members(host) else {
        return Ok(Some(Finding::new(
            "etcd has no quorum: not more than half of its members answer, so nothing can change",
            "start the other masters; if they are lost, restore a backup: ./installer manual backup",
        )));
    };
    // One that is joining has no vote, and does not answer yet.
    let voters: Vec<_> = members.all.iter().filter(|member| !member.is_learner).collect();
    let silent = etcd.silent(host, voters.iter().copied());
    let names: Vec<&str> = silent.iter().map(|member| member.called()).collect();
    Ok(names.first().map(|first| {
        Finding::new(
            format!(
                "of {} members of etcd, these do not answer: {}",
                voters.len(),
                names.join(", ")
            ),
            format!("start that master; if it is lost for good: ./installer remove {first}"),
        )
    }))
}

/// Whether this node is a master whose cluster may have others.
fn is_one_of_several(host: &Host) -> bool {
    host.exists(format!("{STATIC_PODS}/etcd.yaml")) && may_have_other_masters(host)
}
