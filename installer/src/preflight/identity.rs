//! Who asks for the run, who the node is, and what the cluster file calls others.

use rustix::process::Uid;

use crate::failure::Failure;
use crate::host::Host;
use crate::step::Intent;

/// Only root may do what is to be done, and see all that is to be looked at.
pub(super) fn rights(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    let is_allowed = may(host.is_this_system(), rustix::process::geteuid());
    let told = || Failure::new("you are not root on this node", "run this by `sudo`, or as root");
    Ok(if is_allowed { Vec::new() } else { vec![told()] })
}

/// Into a folder anybody may look.
fn may(is_this_system: bool, user: Uid) -> bool {
    !is_this_system || user.is_root()
}

/// Two nodes of one name would be one to Kubernetes.
pub(super) fn name(_: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    let name = intent.name.to_string();
    if name == "localhost" || name.starts_with("localhost.") {
        found.push(Failure::new(
            format!("this node has no name of its own: it is called {name}"),
            "give it one with --node-name, or in `nodes` of the cluster file",
        ));
    }
    if let Some(join) = &intent.join {
        if join.master_address == intent.address {
            found.push(Failure::new(
                format!("{} is the address of the master, {}", intent.address, join.master),
                "run this on another node; a master has --role master",
            ));
        } else if join.master == intent.name {
            found.push(Failure::new(
                format!("this node has the name of the master, {name}"),
                "give it another with --node-name",
            ));
        }
    }
    Ok(found)
}

/// What does not go together in the cluster file, or cannot be a part of other programs'
/// files and commands.
pub(super) fn words(_: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let conflicts = intent.cluster.conflicts().into_iter();
    Ok(conflicts.map(|one| Failure::new(one.to_string(), one.cure())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_roots() {
        let somebody = Uid::from_raw(1000);
        assert!(may(true, Uid::ROOT) && may(false, somebody) && !may(true, somebody));
    }
}
