//! Whether an undo command still has something to do. A reset may be repeated after
//! an interruption, and meanwhile somebody may have removed a unit, a key or a
//! program. This knows all undo commands of steps, and of older versions of them.

use std::io;

use crate::exec::Command;
use crate::host::Host;
use crate::node::systemd::{load_state, unit_is};
use crate::node::{rpm, sysctl};

/// Programs whose package somebody may have removed. What they would undo went with
/// the package.
const PARTS: [&str; 3] = ["exportfs", "firewall-cmd", "kubeadm"];

/// Runs an undo command, unless nothing is left for it. Returns whether it ran.
pub(crate) fn run(host: &mut Host, command: &Command) -> anyhow::Result<bool> {
    if is_over(host, command)? {
        return Ok(false);
    }
    let program = command.words().first().map_or("", String::as_str);
    match host.take_back(&repeatable(command)) {
        Err(error) if PARTS.contains(&program) && is_absence(&error) => Ok(false),
        end => end.map(|()| true),
    }
}

/// Older receipts have `swapon -a`, which fails while a disk is missing.
fn repeatable(command: &Command) -> Command {
    match command.words() {
        [program, all] if program == "swapon" && all == "-a" => command.clone().with("--ifexists"),
        _ => command.clone(),
    }
}

fn is_absence(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    kinds.into_iter().any(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Whether nothing is left to do. An error if that is unknown.
fn is_over(host: &Host, command: &Command) -> anyhow::Result<bool> {
    let words: Vec<&str> = command.words().iter().map(String::as_str).collect();
    Ok(match words.as_slice() {
        ["systemctl", "stop", unit] => is_stopped(host, unit)?,
        ["systemctl", "disable", unit] => !unit_is(host, "enabled", unit)?,
        ["systemctl", "disable", "--now", unit] => {
            !unit_is(host, "enabled", unit)? && is_stopped(host, unit)?
        }
        ["systemctl", "enable", unit] => is_gone(host, unit)? || unit_is(host, "enabled", unit)?,
        ["systemctl", "start", unit] => is_gone(host, unit)? || unit_is(host, "active", unit)?,
        ["systemctl", "enable", "--now", unit] => {
            is_gone(host, unit)?
                || unit_is(host, "enabled", unit)? && unit_is(host, "active", unit)?
        }
        ["systemctl", "unmask", unit] => !unit_is(host, "masked", unit)?,
        // A stopped program has nothing to read again.
        ["systemctl", "reload", unit] => !unit_is(host, "active", unit)?,
        ["firewall-cmd", options @ ..] => {
            !unit_is(host, "active", "firewalld")? || is_zone_gone(host, options)?
        }
        // It may be stopped because an earlier reset could not start it.
        ["systemctl", "restart" | "try-restart", unit] => is_gone(host, unit)?,
        ["rpm", "--erase", name] | ["rpm", "--erase", "--", name] => !rpm::has(host, name)?,
        // The copy to import is kept beside the receipt.
        ["rpm", "--import", file] => !host.exists(file),
        ["hostnamectl", "set-hostname", name] => {
            host.query("hostname").stdout.trim() == *name
                && host.read("/etc/hostname")?.is_some_and(|text| text.trim() == *name)
        }
        ["setenforce", _] => host.read("/sys/fs/selinux/enforce")?.is_none(),
        ["sysctl", "-w", setting] => match setting.split_once('=') {
            Some((key, value)) => sysctl::now(host, key)?.is_none_or(|now| now == value),
            None => false,
        },
        _ => false,
    })
}

fn is_stopped(host: &Host, unit: &str) -> anyhow::Result<bool> {
    let said = host.answer(&Command::of("systemctl is-active").with(unit))?;
    // systemd 219 says `unknown` of a missing unit.
    Ok(["inactive", "failed", "unknown"].contains(&said.stdout.trim()))
}

/// Whether the options' zone no longer exists: its rules went with it.
fn is_zone_gone(host: &Host, options: &[&str]) -> anyhow::Result<bool> {
    let zone = options.iter().find_map(|option| option.strip_prefix("--zone="));
    let Some(zone) = zone else { return Ok(false) };
    let said = host.answer(&Command::of("firewall-cmd --get-zones"))?;
    Ok(said.succeeded() && !said.stdout.split_ascii_whitespace().any(|one| one == zone))
}

/// Whether systemd has no such unit, or the unit is masked.
fn is_gone(host: &Host, unit: &str) -> anyhow::Result<bool> {
    Ok(["not-found", "masked"].contains(&load_state(host, unit)?.as_str()))
}
