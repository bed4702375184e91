//! The masters' one address, which keepalived gives to one of them at a time.
//!
//! All masters have the same priority, and a master whose API server is not ready has a
//! lower one. So
//! - somebody always holds the address, also while `kubeadm init` starts the first API
//!   server, which is reached by it
//! - the address moves when its holder fails, and stays where it is when that one comes
//!   back: an equal does not take it. keepalived's own `nopreempt` would not do: with it
//!   nobody takes the address from a holder that is alive, whatever its priority
//!   (keepalived#2599; measured with 2.2.7)
//! - of several that could take it, the one with the highest address does (RFC 3768)
//!
//! keepalived of EL 7 is 1.3.5, so the configuration has no newer keywords.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use bundle_format::cluster::ControlPlane;

use crate::engine::step::Step;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::paths::{ADMIN_CONF, AUTHORITY, KEEPALIVED_CONF, READYZ_CHECK};
use crate::node::systemd::unit_is;
use crate::node::virtual_address::{KEEPALIVED, is_held, is_ours};
use crate::receipt::StepName;
use crate::steps::file::{file, file_for};
use crate::steps::packages;
use crate::steps::unit::{enabled, ended};

/// The unit's settings of ours.
const DROP_IN: &str = "/etc/systemd/system/keepalived.service.d/kubeferry.conf";
/// The command by which systemd reads its files again.
const REREAD: &str = "systemctl daemon-reload";

/// How long the only master may take to hold the address, in seconds: it listens to
/// others for four.
const PATIENCE: u32 = 30;

/// Sets up keepalived.
pub struct VirtualAddress;

impl Step<Intent> for VirtualAddress {
    fn name(&self) -> StepName {
        StepName::VirtualAddress
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let (host, intent) = (node.host, node.intent);
        let Some(control_plane) = &intent.cluster.control_plane else { return gone(host) };
        let mut changes = file(host, READYZ_CHECK, &check(intent.address))?;
        for change in &mut changes {
            if let Change::Write { mode, .. } = change {
                *mode = 0o755;
            }
        }
        let text = configuration(intent, control_plane)?;
        changes.extend(if unit_is(host, "active", KEEPALIVED)? {
            file_for(host, self.name(), KEEPALIVED_CONF, &text, "systemctl reload keepalived")?
        } else {
            file(host, KEEPALIVED_CONF, &text)?
        });
        changes.extend(file_for(host, self.name(), DROP_IN, &drop_in(intent.address), REREAD)?);
        changes.extend(enabled(host, KEEPALIVED)?);
        // Another master may hold it later.
        let is_first = intent.join.is_none() && !host.exists(ADMIN_CONF);
        if is_first && !is_held(host, control_plane.vip)? {
            changes.push(Change::Await { command: held(control_plane.vip), seconds: PATIENCE });
        }
        Ok(changes)
    }

    fn cure(&self) -> Option<&'static str> {
        Some("`journalctl --unit keepalived` says why; fix that, and run this again")
    }
}

/// Succeeds while this node has the address.
fn held(address: Ipv4Addr) -> Command {
    let quiet = Command::of("grep --quiet --fixed-strings --word-regexp");
    quiet.with(address.to_string()).with("/proc/net/fib_trie")
}

/// The changes that take back what an earlier run set up.
fn gone(host: &Host) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    if host.read(KEEPALIVED_CONF)?.is_some_and(|text| is_ours(&text)) {
        changes.extend(ended(host, KEEPALIVED)?);
        let paths = [KEEPALIVED_CONF, READYZ_CHECK, DROP_IN].map(PathBuf::from);
        let paths = paths.into_iter().filter(|path| host.exists(path));
        changes.extend(paths.map(|path| Change::Remove { path }));
        changes.push(Change::run(REREAD));
    }
    Ok(changes)
}

/// keepalived binds to the node's own address once, as it starts, and otherwise fails for
/// good (keepalived#2237). After a power loss, a switch may start later than the nodes.
/// systemd of EL 7 does not know `infinity`. All releases take 0 as no
/// limit.
fn drop_in(own: IpAddr) -> String {
    format!(
        "# Written by kubeferry: keepalived starts when the node has its address.\n[Service]\n\
         ExecStartPre=/bin/sh -c 'until grep --quiet --fixed-strings --word-regexp {own} \
         /proc/net/fib_trie; do sleep 1; done'\nTimeoutStartSec=0\nRestart=on-failure\n\
         RestartSec=5\n"
    )
}

/// The interface that gets the address.
pub(crate) fn interface<'a>(
    intent: &'a Intent,
    control_plane: &'a ControlPlane,
) -> Result<&'a str, Failure> {
    let named = control_plane.interface.as_ref().map(AsRef::as_ref);
    // Nobody knows the interfaces of a folder, which gets a plan only.
    let unknown = intent.facts.addresses.is_empty().then_some("INTERFACE");
    named.or_else(|| intent.facts.interface(intent.address)).or(unknown).ok_or_else(|| {
        let what = format!("no interface of this node has its address, {}", intent.address);
        Failure::new(what, "write `interface` below `controlPlane` in the cluster file")
    })
}

/// What keepalived is told.
pub fn configuration(intent: &Intent, control_plane: &ControlPlane) -> anyhow::Result<String> {
    let own = intent.address;
    let interface = interface(intent, control_plane)?;
    // The masters speak where they reach each other, which may be another interface.
    let speaks = intent.facts.interface(own).unwrap_or(interface);
    let track = match speaks == interface {
        true => String::new(),
        false => format!("    track_interface {{\n        {interface}\n    }}\n"),
    };
    let masters = intent.cluster.masters();
    let others: Vec<IpAddr> = masters.filter(|address| *address != own).collect();
    let mut peers = String::new();
    // Alone, a master speaks to a group that only others of its number hear. keepalived
    // takes no empty list of peers.
    if !others.is_empty() {
        write!(peers, "    unicast_src_ip {own}\n    unicast_peer {{\n")?;
        for address in others {
            writeln!(peers, "        {address}")?;
        }
        peers += "    }\n";
    }
    let (vip, id) = (control_plane.vip, control_plane.router_id());
    Ok(format!(
        "# Written by kubeferry: the address of all masters, which one of them holds.\n\
         global_defs {{\n    script_user root\n    enable_script_security\n}}\n\n\
         vrrp_script kubeferry_readyz {{\n    script \"{READYZ_CHECK}\"\n    interval 3\n    \
         fall 3\n    rise 2\n    weight -50\n}}\n\n\
         vrrp_instance kubeferry {{\n    state BACKUP\n    interface {speaks}\n    \
         virtual_router_id {id}\n    priority 100\n    advert_int 1\n{peers}{track}    \
         virtual_ipaddress {{\n        {vip} dev {interface}\n    }}\n    \
         track_script {{\n        kubeferry_readyz\n    }}\n}}\n"
    ))
}

/// Asks this master's own API server. Everybody may ask for `/readyz`, by the role
/// `system:public-info-viewer` that Kubernetes has from the start. Before `kubeadm init`
/// there is no authority, and the answer is no.
fn check(own: IpAddr) -> String {
    format!(
        "#!/bin/sh\n# Written by kubeferry: whether this master's API server is ready.\n\
         exec /usr/bin/curl --silent --fail --output /dev/null --noproxy '*' --max-time 2 \\\n    \
         --cacert {AUTHORITY} https://{own}:6443/readyz\n"
    )
}

/// The address needs a package; this says if the bundle lacks it.
pub(crate) fn problem(host: &Host, intent: &Intent) -> anyhow::Result<Option<Failure>> {
    let mut rpms = intent.lock().rpms.iter();
    let brings = rpms.any(|rpm| rpm.target == intent.target.id && rpm.package.name == KEEPALIVED);
    let is_lacking = !brings && !packages::names(host)?.contains(KEEPALIVED);
    Ok(is_lacking.then(|| {
        Failure::new(
            format!(
                "controlPlane asks for keepalived, which is neither on this node nor in the \
                 bundle for {}",
                intent.target.id
            ),
            "write `controlPlane` into `cluster` of the spec, or keepalived into the target's \
             `packages`, and make a new bundle; or give `endpoint` a balancer of the site",
        )
    }))
}
