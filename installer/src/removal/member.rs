//! A member leaves etcd.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::host::Host;
use crate::node::etcd::{Member, Members, RunningEtcd};
use crate::receipt::StepName;

/// How long etcd may refuse for a reason that passes: it counts a member only when it has
/// been connected for five seconds (`HealthInterval` in its `server.go`), and chooses
/// another leader when the last one has left.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes a member out. An error if etcd refuses: at once if a member that stays does not
/// answer, else after half a minute.
pub(super) fn take_out(
    host: &mut Host,
    step: StepName,
    etcd: &RunningEtcd,
    members: &Members,
    member: &Member,
) -> anyhow::Result<()> {
    let voters = members.all.iter().filter(|one| !one.is_learner);
    let (stay, silent): (Vec<&Member>, Vec<&Member>) =
        voters.filter(|one| *one != member).partition(|one| etcd.answers(host, one));
    let command = etcd.removal(members, member, stay.first().copied());
    let end = Instant::now() + PATIENCE;
    loop {
        let Err(error) = host.run(step, &command, &[], &[], None) else { return Ok(()) };
        // An answer can be lost.
        let now = etcd.members(host);
        if now.is_ok_and(|now| !now.all.contains(member)) {
            return Ok(());
        }
        if !silent.is_empty() || Instant::now() >= end {
            return Err(error);
        }
        sleep(Duration::from_secs(1));
    }
}
