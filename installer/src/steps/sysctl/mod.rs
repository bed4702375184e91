//! Kernel settings that Kubernetes needs, in a file of their own, and read back
//! from the kernel. What the node would read after that file, and has otherwise,
//! becomes a comment: it would hold from the next boot on (amazon-eks-ami#746).

mod files;
mod tuned;

use crate::engine::step::Step;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::sysctl::now;
use crate::node::systemd::unit_is;
use crate::receipt::{self, StepName};
use crate::steps::file::file;

pub(crate) use self::files::Undoing;

/// Where they are, for every boot: after `99-sysctl.conf`, which most systems link to
/// `/etc/sysctl.conf`.
pub(crate) const PATH: &str = "/etc/sysctl.d/zz-kubeferry.conf";
/// Where earlier versions had them.
pub(crate) const OLD: &str = "/etc/sysctl.d/99-kubeferry.conf";
const OLD_NAME: &str = "99-kubeferry.conf";

/// What pods' traffic needs. The first is there only where the kernel has IPv6. The last
/// three switch the same thing in the kernel, but systemd-sysctl takes them for three
/// settings. An interface of a pod begins with the value of the last one.
const SETTINGS: [(&str, &str); 5] = [
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.ipv4.ip_forward", "1"),
    ("net.ipv4.conf.all.forwarding", "1"),
    ("net.ipv4.conf.default.forwarding", "1"),
];

/// How networks call the interfaces of their pods. Those of other containers are a site's.
const PODS: [&str; 6] = ["cali", "cni", "flannel", "tunl", "veth", "vxlan"];

fn is_of_pods(interface: &str) -> bool {
    PODS.iter().any(|prefix| interface.starts_with(prefix))
}

/// The settings that this node needs.
pub(crate) fn settings(host: &Host) -> impl Iterator<Item = (&'static str, &'static str)> {
    let has_ipv6 = host.exists("/proc/sys/net/ipv6");
    SETTINGS.into_iter().filter(move |(key, _)| has_ipv6 || !key.ends_with("ip6tables"))
}

/// The file that has them on this node: an earlier version's until a run has moved it.
pub(crate) fn own(host: &Host) -> &'static str {
    if !host.exists(PATH) && host.exists(OLD) { OLD } else { PATH }
}

/// What the node reads after `own`, and would undo it, also on one of `interfaces`.
pub(crate) fn undoing(
    host: &Host,
    own: &str,
    interfaces: &[String],
) -> anyhow::Result<Vec<Undoing>> {
    files::undoing(host, own, &settings(host).collect::<Vec<_>>(), interfaces)
}

/// The switches of single interfaces that are off while that of all is on: those of
/// `interfaces`, and of pods.
pub(crate) fn off(host: &Host, interfaces: &[String]) -> anyhow::Result<Vec<String>> {
    if now(host, "net.ipv4.ip_forward")?.as_deref() != Some("1") {
        // They follow it when it is switched on.
        return Ok(Vec::new());
    }
    let mut off = Vec::new();
    for name in host.list("/proc/sys/net/ipv4/conf")? {
        let key = format!("net.ipv4.conf.{}.forwarding", name.replace('.', "/"));
        let is_meant = interfaces.contains(&name) || is_of_pods(&name);
        if is_meant && now(host, &key)?.as_deref() == Some("0") {
            off.push(key);
        }
    }
    Ok(off)
}

/// See the module.
pub struct Sysctl;

impl Step<Intent> for Sysctl {
    fn name(&self) -> StepName {
        StepName::Sysctl
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        if unit_is(host, "masked", "systemd-sysctl")? {
            return Err(Failure::new(
                "systemd-sysctl is masked, so that no boot would set what the kernel needs",
                "`systemctl unmask systemd-sysctl`, and run this again",
            )
            .into());
        }
        let text: String =
            settings(host).map(|(key, value)| format!("{key} = {value}\n")).collect();
        let mut changes = file(host, PATH, &text)?;
        let interface = node.intent.facts.interface(node.intent.address);
        let interfaces: Vec<String> = interface.map(str::to_owned).into_iter().collect();
        for one in undoing(host, PATH, &interfaces)? {
            one.check()?;
            host.file(&one.target)?;
            changes.push(Change::write(one.target, one.text));
        }
        let mut undo = Vec::new();
        for (key, value) in settings(host) {
            let now = now(host, key)?;
            if now.as_deref() != Some(value) {
                let old = now.unwrap_or_else(|| "0".to_owned());
                undo.push(Command::of("sysctl -w").with(format!("{key}={old}")));
            }
        }
        // Also with a new file alone: what a module that is not loaded yet will
        // have set by then, a plan cannot know.
        if !changes.is_empty() || !undo.is_empty() {
            let command = Command::of("sysctl --load").with(PATH);
            changes.push(Change::Run { command, undo, files: Vec::new(), intention: None });
        }
        for key in off(host, &interfaces)? {
            let set = |value| Command::of("sysctl -w").with(format!("{key}={value}"));
            changes.push(Change::Run {
                command: set(1),
                undo: vec![set(0)],
                files: Vec::new(),
                intention: None,
            });
        }
        if host.exists(OLD) && is_ours(host)? {
            changes.push(Change::Remove { path: OLD.into() });
        }
        Ok(changes)
    }
}

/// Whether the old file is one that the installer wrote, also before a reset that was
/// forgotten.
fn is_ours(host: &Host) -> anyhow::Result<bool> {
    let text = host.read(OLD)?.unwrap_or_default();
    let is_own = |line: &str| SETTINGS.iter().any(|(key, one)| line == format!("{key} = {one}"));
    Ok(receipt::first(host.lines(), OLD.as_ref()).is_some() || text.lines().all(is_own))
}
