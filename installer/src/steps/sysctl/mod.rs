//! Kernel settings that Kubernetes needs, in a file of their own, and checked in the
//! kernel. A later line that sets one otherwise becomes a comment, because it would
//! win at the next boot (amazon-eks-ami#746). So does a line of networkd's.

mod files;
mod networkd;
mod settings;
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
pub(crate) use self::settings::{OLD, PATH, settings};

use self::settings::{SETTINGS, is_of_pods};

/// The file with our settings on this node: an older version's, until a run has moved
/// it.
pub(crate) fn own(host: &Host) -> &'static str {
    if !host.exists(PATH) && host.exists(OLD) { OLD } else { PATH }
}

/// The files that the node reads after `own`, and that override it, also for
/// `interfaces`.
pub(crate) fn undoing(
    host: &Host,
    own: &str,
    interfaces: &[String],
) -> anyhow::Result<Vec<Undoing>> {
    let mut found = files::undoing(host, own, &settings(host).collect::<Vec<_>>(), interfaces)?;
    found.extend(networkd::undoing(host, interfaces)?);
    Ok(found)
}

/// The interfaces whose forwarding is off while it is on for all: of `interfaces`,
/// and of pods.
pub(crate) fn off(host: &Host, interfaces: &[String]) -> anyhow::Result<Vec<String>> {
    if now(host, "net.ipv4.ip_forward")?.as_deref() != Some("1") {
        // Switching forwarding on for all switches it on for each.
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

/// Sets the kernel settings.
pub struct Sysctl;

impl Step<Intent> for Sysctl {
    fn name(&self) -> StepName {
        StepName::Sysctl
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        if unit_is(host, "masked", "systemd-sysctl")? {
            return Err(Failure::new(
                "systemd-sysctl is masked, so the kernel settings would be lost at the next boot",
                "`systemctl unmask systemd-sysctl`, and run this again",
            )
            .into());
        }
        let text: String =
            settings(host).map(|(key, value)| format!("{key} = {value}\n")).collect();
        let mut changes = file(host, PATH, &text)?;
        let interface = node.intent.facts.interface(node.intent.address);
        let interfaces: Vec<String> = interface.map(str::to_owned).into_iter().collect();
        // A run that was killed may have written a file that networkd has not read.
        let mut is_networkds = host.was_interrupted(self.name());
        for one in undoing(host, PATH, &interfaces)? {
            one.check()?;
            host.file(&one.target)?;
            is_networkds |= one.path.components().any(|part| part.as_os_str() == "systemd");
            changes.push(Change::write(one.target, one.text));
        }
        if is_networkds && networkd::runs(host)? {
            changes.push(Change::run(networkd::REREAD));
        }
        let mut undo = Vec::new();
        for (key, value) in settings(host) {
            let now = now(host, key)?;
            if now.as_deref() != Some(value) {
                let old = now.unwrap_or_else(|| "0".to_owned());
                undo.push(Command::of("sysctl -w").with(format!("{key}={old}")));
            }
        }
        // A new file alone is loaded too: a module that is loaded later brings
        // keys that a plan cannot see.
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

/// Whether the installer wrote the old file, even if its receipt is gone.
fn is_ours(host: &Host) -> anyhow::Result<bool> {
    let text = host.read(OLD)?.unwrap_or_default();
    let is_own = |line: &str| SETTINGS.iter().any(|(key, one)| line == format!("{key} = {one}"));
    Ok(receipt::first(host.lines(), OLD.as_ref()).is_some() || text.lines().all(is_own))
}
