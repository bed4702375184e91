//! The kernel's settings, without which nothing gets from pod to pod.

use super::{Finding, again};
use crate::host::Host;
use crate::steps::sysctl::{PATH, now, settings};

pub(super) fn off(host: &Host) -> anyhow::Result<Option<Finding>> {
    for (key, wanted) in settings(host) {
        let now = now(host, key)?;
        if now.as_deref() == Some(wanted) {
            continue;
        }
        let line = format!("{key} = {wanted}");
        let is_kept = host.read(PATH)?.is_some_and(|text| text.lines().any(|own| own == line));
        return Ok(Some(match now {
            Some(now) => {
                let set = format!("sysctl -w {key}={wanted}");
                let keep = format!("echo '{line}' >>/etc/sysctl.d/99-kubernetes.conf && {set}");
                let cure = if is_kept { set } else { again(host, &["sysctl"], keep) };
                Finding::new(format!("{key} is {now}, and must be {wanted}"), cure)
            }
            // The keys of bridges are there with their module only.
            None => Finding::new(
                format!("the kernel has no {key}: br_netfilter is not loaded"),
                format!("modprobe br_netfilter && sysctl -w {key}={wanted}"),
            ),
        }));
    }
    Ok(None)
}
