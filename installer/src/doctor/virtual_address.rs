//! The masters' one address, on a master: keepalived, who holds the address, and whether
//! the masters know each other.

use std::net::{IpAddr, Ipv4Addr};

use super::finding::{Finding, again};
use super::{kubelet, unit};
use crate::exec::Command;
use crate::host::Host;
use crate::node::paths::READYZ_CHECK;
use crate::node::virtual_address::{KEEPALIVED, VirtualAddress};
use crate::node::{neighbour, registered};
use crate::receipt::StepName;
use crate::role::Role;

/// keepalived is off on this master.
pub(super) fn stopped(host: &Host) -> anyhow::Result<Option<Finding>> {
    if VirtualAddress::of(host)?.is_none() {
        return Ok(None);
    }
    unit::off(host, KEEPALIVED, StepName::Packages)
}

/// Nobody holds the address, or two machines do.
pub(super) fn holders(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(own) = VirtualAddress::of(host)? else { return Ok(None) };
    let VirtualAddress { address, interface, .. } = &own;
    if own.is_held(host)? {
        return Ok(neighbour::doubles(host, *address, interface)?.then(|| {
            Finding::new(
                format!("this node holds {address}, and another machine answers for it, too"),
                "on each master: ./installer doctor, because a firewall may keep the protocol vrrp \
                 from one of them; if no other master holds it, `arping` shows the hardware \
                 address of the machine that must get another address",
            )
        }));
    }
    Ok((!neighbour::has(host, *address)?).then(|| {
        Finding::new(
            format!("nobody holds {address}, at which the nodes look for the API server"),
            "on each master: systemctl restart keepalived; if it stays so, look at the cables and at \
             `journalctl --unit keepalived`",
        )
    }))
}

/// Masters that joined after keepalived was told of the others here. If the holder
/// fails, these and the others would not agree who is next.
pub(super) fn peers(host: &Host) -> anyhow::Result<Option<Finding>> {
    let (Some(own), Some(address)) = (VirtualAddress::of(host)?, kubelet::address(host)?) else {
        return Ok(None);
    };
    // If the API server does not answer, its own check reports that.
    let masters = registered::masters(host).unwrap_or_default();
    let is_unknown = |one: &IpAddr| {
        *one != address && !own.peers.iter().any(|peer: &Ipv4Addr| IpAddr::from(*peer) == *one)
    };
    let masters = masters.into_iter().map(|master| master.address);
    let unknown: Vec<String> = masters.filter(is_unknown).map(|one| one.to_string()).collect();
    Ok((!unknown.is_empty()).then(|| {
        Finding::new(
            format!("keepalived here does not know the masters at {}", unknown.join(", ")),
            match Role::of_receipt(host.lines()) {
                Some(_) => {
                    again(host, &[StepName::Firewall, StepName::VirtualAddress], "")
                        + " --config cluster.yaml, with all masters as `role: master` under `nodes`"
                }
                None => "add them to `unicast_peer` in /etc/keepalived/keepalived.conf, and \
                         `systemctl reload keepalived`"
                    .to_owned(),
            },
        )
    }))
}

/// This master's own API server is not ready, which the others hide: they hold the
/// address.
pub(super) fn not_ready(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(own) = VirtualAddress::of(host)?.filter(|own| !own.peers.is_empty()) else {
        return Ok(None);
    };
    let said = host.answer(&Command::of(READYZ_CHECK))?;
    if matches!(said.status, Some(126 | 127)) {
        let cause = format!("keepalived's check {READYZ_CHECK} cannot run, so it counts as failed");
        let cure = "see whether curl is installed, and whether the file is executable";
        return Ok(Some(Finding::new(cause, cure)));
    }
    Ok((!said.succeeded()).then(|| {
        Finding::new(
            format!(
                "the API server of this master is not ready, so another should hold {}",
                own.address
            ),
            "tail -n 5 /var/log/pods/kube-system_kube-apiserver-*/*/*.log, which says why",
        )
    }))
}
