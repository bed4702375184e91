//! The name servers that pods of the system get where a site has no DNS: without
//! a file of them kubelet starts no pod (kubernetes#103110), and without a server
//! in it, or with one on the loopback, CoreDNS ends itself (coredns#5764). There
//! it is the node's own address, at which nobody answers, as nobody would
//! elsewhere. NetworkManager writes `/etc/resolv.conf` anew at each boot, so
//! kubelet gets a file of its own.

use std::net::{IpAddr, Ipv4Addr};

use super::{file, file_for, unit_is};
use crate::change::Change;
use crate::host::Host;
use crate::step::Node;

/// What kubelet's unit reads arguments from (kubernetes.io, "the kubelet drop-in
/// file for systemd").
const ARGUMENTS: &str = "/etc/sysconfig/kubelet";
const KEY: &str = "KUBELET_EXTRA_ARGS=";
/// The file that names them.
pub(crate) const OWN: &str = "/opt/kubernetes/resolv.conf";
const ARGUMENT: &str = "--resolv-conf=/opt/kubernetes/resolv.conf";
/// Where they are read from, the second one by kubeadm's doing where
/// systemd-resolved runs.
const PLACES: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

/// What kubelet still lacks, or has too much, to give pods name servers.
pub(super) fn changes(node: &Node<'_>, step: &str) -> anyhow::Result<Vec<Change>> {
    let host = node.host;
    let is_needed = !has_server(host)?;
    let mut changes = Vec::new();
    if is_needed {
        changes.extend(file(host, OWN, &servers(node.intent.address))?);
    }
    let before = host.text(ARGUMENTS)?.unwrap_or_default();
    let text = with_argument(&before, is_needed);
    if text == before {
        return Ok(changes);
    }
    changes.extend(if unit_is(host, "active", "kubelet")? {
        file_for(host, step, ARGUMENTS, &text, "systemctl restart kubelet")?
    } else {
        file(host, ARGUMENTS, &text)?
    });
    Ok(changes)
}

fn servers(address: Ipv4Addr) -> String {
    format!("# Written by kubeferry: this node knows no DNS server.\nnameserver {address}\n")
}

/// Whether the node knows a server that a pod could ask too (resolv.conf(5)).
fn has_server(host: &Host) -> anyhow::Result<bool> {
    for place in PLACES {
        let text = host.read(place)?.unwrap_or_default();
        let server = |line: &str| {
            let address = line.strip_prefix("nameserver")?.split_ascii_whitespace().next()?;
            // One of IPv6 may have its interface behind it.
            address.split('%').next()?.parse::<IpAddr>().ok()
        };
        if text.lines().filter_map(server).any(|address| !address.is_loopback()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The file with our argument among the others, or without it.
fn with_argument(text: &str, is_needed: bool) -> String {
    let value = text.lines().find_map(|line| line.strip_prefix(KEY)).unwrap_or_default();
    let bare = value.trim().trim_matches(['"', '\'']);
    let has = bare.split_ascii_whitespace().any(|word| word == ARGUMENT);
    if has == is_needed {
        return text.to_owned();
    }
    let mut words: Vec<&str> = bare.split_ascii_whitespace().collect();
    words.retain(|word| *word != ARGUMENT);
    words.extend(is_needed.then_some(ARGUMENT));
    let words = words.join(" ");
    let own =
        if words.contains(' ') { format!("{KEY}\"{words}\"") } else { format!("{KEY}{words}") };
    let others = text.lines().filter(|line| !line.starts_with(KEY));
    others.chain([own.as_str()]).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_others_stay() {
        let ours = format!("{KEY}{ARGUMENT}\n");
        let beside = format!("{KEY}\"--v=2 --x=y {ARGUMENT}\"\n");
        for (without, with) in [
            (format!("{KEY}\n"), ours.clone()),
            (format!("# own\n{KEY}\n"), format!("# own\n{ours}")),
            (format!("{KEY}\"--v=2 --x=y\"\n"), beside),
        ] {
            assert_eq!(with_argument(&without, true), with);
            assert_eq!(with_argument(&with, true), with);
            assert_eq!(with_argument(&with, false), without);
            assert_eq!(with_argument(&without, false), without);
        }
        assert_eq!(with_argument("", true), ours);
        assert_eq!(with_argument("", false), "");
    }
}
