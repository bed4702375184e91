//! Whether etcd can do without this node's member for a while.

use crate::failure::Failure;
use crate::host::Host;
use crate::node::etcd::{Member, RunningEtcd};

/// The failure if it cannot, because other members do not answer. If nobody lists the
/// members, there is no quorum that could be lost.
pub(crate) fn at_risk(host: &Host) -> anyhow::Result<Option<Failure>> {
    let Some(etcd) = RunningEtcd::running(host)? else { return Ok(None) };
    let Ok(members) = etcd.members(host) else { return Ok(None) };
    let others: Vec<&Member> = etcd.others(&members).filter(|one| !one.is_learner).collect();
    let silent = etcd.silent(host, others.iter().copied());
    let needed = members.all.iter().filter(|one| !one.is_learner).count() / 2 + 1;
    // Of two members, none can be spared, and nobody could do anything about it.
    if silent.is_empty() || others.len() - silent.len() >= needed {
        return Ok(None);
    }
    let names: Vec<&str> = silent.iter().map(|one| one.called()).collect();
    Ok(Some(Failure::new(
        format!("etcd would stop without this node, because {} does not answer", names.join(", ")),
        format!(
            "start it; `installer doctor` there says what is wrong; if it is lost for good: \
             `installer remove {}` here",
            names[0]
        ),
    )))
}
