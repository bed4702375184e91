//! Kernel settings that traffic between pods needs: now, and after the next boot.

use super::finding::{Finding, again};
use super::kubelet;
use crate::host::Host;
use crate::node::facts::Facts;
use crate::node::sysctl::now;
use crate::receipt::{self, StepName};
use crate::steps::sysctl::{Undoing, off as switched_off, own, settings, undoing};

/// The file for settings that are made by hand: it must sort after `99-sysctl.conf`.
const BY_HAND: &str = "/etc/sysctl.d/zz-kubernetes.conf";

pub(super) fn off(host: &Host) -> anyhow::Result<Option<Finding>> {
    let (own, interfaces) = (own(host), interfaces(host)?);
    let others = undoing(host, own, &interfaces)?;
    let text = host.read(own)?.unwrap_or_default();
    for (key, wanted) in settings(host) {
        let now = now(host, key)?;
        if now.as_deref() == Some(wanted) {
            continue;
        }
        let line = format!("{key} = {wanted}");
        let set = format!("sysctl -w {key}={wanted}");
        // `sysctl -w` alone would last until the next boot, or the next
        // `sysctl --system`.
        let is_kept = others.is_empty() && text.lines().any(|own| own == line);
        return Ok(Some(match now {
            Some(now) => {
                let cure = || {
                    let keep = format!("echo '{line}' >>{BY_HAND} && {set}");
                    again(host, &[StepName::Sysctl], with_others(&others, &keep))
                };
                let cure = if is_kept { set } else { cure() };
                Finding::new(format!("{key} is {now}, and must be {wanted}"), cure)
            }
            // The kernel has the keys of bridges only while their module
            // is loaded.
            None => Finding::new(
                format!("the kernel has no {key}: br_netfilter is not loaded"),
                format!("modprobe br_netfilter && {set}"),
            ),
        }));
    }
    let Some(key) = switched_off(host, &interfaces)?.into_iter().next() else { return Ok(None) };
    let set = format!("sysctl -w {key}=1");
    let cure = match others.is_empty() {
        true => set,
        false => again(host, &[StepName::Sysctl], with_others(&others, &set)),
    };
    Ok(Some(Finding::new(format!("{key} is 0, and must be 1"), cure)))
}

/// The settings are right now, and another file changes them at the next boot.
pub(super) fn undone(host: &Host) -> anyhow::Result<Option<Finding>> {
    // On other nodes it is unknown which file should win.
    if !receipt::finished(host.lines(), StepName::Sysctl) {
        return Ok(None);
    }
    let others = undoing(host, own(host), &interfaces(host)?)?;
    Ok(others.first().map(|one| {
        let (path, own) = (one.path.display(), own(host));
        let cause = format!("{path} has `{}`, which overrides {own} at the next boot", one.told());
        Finding::new(
            cause,
            again(host, &[StepName::Sysctl], with_others(&others, "sysctl --system")),
        )
    }))
}

/// What to do by hand, once no other file overrides it.
fn with_others(others: &[Undoing], then: &str) -> String {
    let out = |one: &Undoing| format!("take `{}` out of {}", one.told(), one.path.display());
    let mut all: Vec<String> = others.iter().map(out).collect();
    all.push(then.to_owned());
    all.join("; ")
}

/// The interface that has kubelet's address; none if that address is unknown.
fn interfaces(host: &Host) -> anyhow::Result<Vec<String>> {
    let Some(address) = kubelet::address(host)? else { return Ok(Vec::new()) };
    let facts = Facts::gather(host)?;
    Ok(facts.interface(address).map(str::to_owned).into_iter().collect())
}
