//! etcd: an alarm by which it changes nothing any more, a database that is nearly full; and
//! of several members one that does not run, some that do not answer, one without a vote.

use serde_json::Value;

use super::finding::Finding;
use crate::host::Host;
use crate::node::etcd::RunningEtcd;
use crate::node::kubeadm::may_have_other_masters;
use crate::node::paths::STATIC_PODS;
use crate::node::static_pod;

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

/// A member copies the data and has no vote, although nobody may be joining any more. etcd
/// lets no other member in meanwhile.
pub(super) fn learner(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !is_one_of_several(host) {
        return Ok(None);
    }
    let Some(etcd) = RunningEtcd::running(host)? else { return Ok(None) };
    // Another check reports that etcd has no quorum.
    let members = etcd.members(host).map(|members| members.all).unwrap_or_default();
    let learner = members.into_iter().find(|member| member.is_learner);
    Ok(learner.map(|learner| {
        let name = learner.called();
        Finding::new(
            format!("the member {name} of etcd has no vote yet"),
            format!(
                "if {name} is joining now, wait; if not, run the line there again that joins it, or \
                 on another master: ./installer remove {name}"
            ),
        )
    }))
}

/// etcd's own limit if none is given, in bytes (etcd.io, "Storage size limit").
const QUOTA: u64 = 2 << 30;

/// From how many percent of its limit on the database is worth a word.
const NEAR: u64 = 80;

/// The database is near its limit. At the limit etcd takes no changes.
pub(super) fn filling(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !host.exists(format!("{STATIC_PODS}/etcd.yaml")) {
        return Ok(None);
    }
    // Another check says why it does not run, or does not answer.
    let Some(etcd) = RunningEtcd::running(host)? else { return Ok(None) };
    let said = host.answer(&etcd.etcdctl("--write-out json endpoint status"))?;
    let Some(status) = said.succeeded().then(|| Size::read(&said.stdout)).flatten() else {
        return Ok(None);
    };
    let arguments = static_pod::arguments(host, "etcd").unwrap_or_default();
    let given = arguments.iter().find_map(|one| one.strip_prefix("--quota-backend-bytes="));
    // A negative one switches the limit off, and 0 stands for etcd's own.
    let quota = match given.map(str::parse::<i64>) {
        Some(Ok(..0)) => return Ok(None),
        Some(Ok(bytes)) if bytes > 0 => bytes.unsigned_abs(),
        _ => QUOTA,
    };
    let is_near = |size: u64| size.saturating_mul(100) >= quota.saturating_mul(NEAR);
    if !is_near(status.size) {
        return Ok(None);
    }
    let mib = |bytes: u64| bytes >> 20;
    // What is free inside of the file is used again, and comes back to the disk only so.
    let cure = match is_near(status.in_use) {
        true => "delete what fills it, such as Events or old objects of your own kinds; then the \
                 line that `installer manual doctor` has for this"
            .to_owned(),
        false => DEFRAGMENT.to_owned(),
    };
    Ok(Some(Finding::new(
        format!(
            "etcd's database has {} MiB, {} of them in use; from {} MiB on it takes no changes",
            mib(status.size),
            mib(status.in_use),
            mib(quota)
        ),
        cure,
    )))
}

/// Gives the free room in the database back. etcd stands still meanwhile.
const DEFRAGMENT: &str = "crictl exec $(crictl ps --quiet --name ^etcd$) etcdctl --cacert \
                          /etc/kubernetes/pki/etcd/ca.crt --cert \
                          /etc/kubernetes/pki/etcd/server.crt --key \
                          /etc/kubernetes/pki/etcd/server.key --command-timeout 60s defrag";

/// How large the database is, in bytes.
struct Size {
    size: u64,
    in_use: u64,
}

impl Size {
    /// By the answer to `endpoint status`; none if it is another one.
    fn read(text: &str) -> Option<Self> {
        let answer: Value = serde_json::from_str(text.trim()).ok()?;
        let number =
            |key: &str| answer.pointer(&format!("/0/Status/{key}")).and_then(Value::as_u64);
        let size = number("dbSize")?;
        Some(Self { size, in_use: number("dbSizeInUse").unwrap_or(size) })
    }
}

/// Whether this node is a master whose cluster may have others.
fn is_one_of_several(host: &Host) -> bool {
    host.exists(format!("{STATIC_PODS}/etcd.yaml")) && may_have_other_masters(host)
}
