//! A node that goes back, and what it needs no more.

use std::net::IpAddr;

use bundle_format::cluster::NodeName;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::kubeadm::Kept;
use crate::node::paths::{KUBEADM_CONFIG, KUBEADM_JOINED, UPGRADE};
use crate::receipt::{self, Line, Stage, Upgrade};
use crate::role::Role;
use crate::steps::upgrade::copy::{COPY, GONE};

/// The way back of a node.
pub struct Return {
    /// Its role.
    pub role: Role,
    /// The upgrade that is taken back.
    pub upgrade: Upgrade,
    /// Its name in the cluster.
    pub name: NodeName,
    /// Its address.
    pub address: IpAddr,
    /// Whether etcd's data may come from the snapshot of before, if nothing else is left.
    pub from_snapshot: bool,
}

impl Return {
    /// The way back that an upgrade has; none if nothing is left to take back: it was cut
    /// short before it changed anything, or the way back right before its end.
    pub fn of(host: &Host, role: Role, upgrade: &Upgrade) -> anyhow::Result<Option<Self>> {
        if !host.exists(COPY) {
            if upgrade.stage == Stage::Made {
                return Err(Failure::new(
                    format!("{COPY} is gone, which has what this node was before its upgrade"),
                    "declare the upgrade finished with `installer upgrade --finish`",
                )
                .into());
            }
            return Ok(None);
        }
        let path = if role == Role::Master { KUBEADM_CONFIG } else { KUBEADM_JOINED };
        let Kept { name, address, .. } = Kept::read(host, &format!("{COPY}{path}"))?;
        let upgrade = upgrade.clone();
        Ok(Some(Self { role, upgrade, name, address, from_snapshot: false }))
    }
}

/// Ends the upgrade: at first what was kept is no longer found, then the receipt says so,
/// then it is removed, also what kubeadm has kept. A run that is cut short never leaves half
/// of it where another would look.
pub fn forget(host: &mut Host, end: Stage) -> anyhow::Result<()> {
    if host.exists(UPGRADE) {
        host.take_back(&Command::of(&format!("rm -rf {GONE}")))?;
        host.take_back(&Command::of(&format!("mv --no-target-directory {UPGRADE} {GONE}")))?;
    }
    if let Some(open) = receipt::upgrade(host.lines()).map(|open| open.at(end)) {
        host.begin(Line::Upgrade(open))?;
    }
    let tmp = "/etc/kubernetes/tmp";
    let of_kubeadm = host.list(tmp)?.into_iter().filter(|name| name.starts_with("kubeadm-"));
    let remove = Command::of(&format!("rm -rf {GONE}"));
    let remove = of_kubeadm.fold(remove, |all, name| all.with(format!("{tmp}/{name}")));
    host.take_back(&remove)
}
