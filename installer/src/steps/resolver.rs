//! The name servers for system pods on a site without DNS. Without the file kubelet
//! starts no pod (kubernetes#103110). Without a server in it, or with one on the
//! loopback, CoreDNS exits (coredns#5764). So the file names the node's own address,
//! where nothing answers: a site without DNS has nothing better. kubelet gets a file of
//! its own, because NetworkManager writes `/etc/resolv.conf` at each boot.

use std::net::IpAddr;

use super::lines::{end_last, lines};
use crate::host::Host;
use crate::install::{Change, Node};
use crate::node::paths::RESOLV_CONF;
use crate::node::systemd::unit_is;
use crate::receipt::StepName;
use crate::steps::file::{file, file_for};

/// The file from which kubelet's unit reads arguments (kubernetes.io, "The kubelet
/// drop-in file for systemd").
const ARGUMENTS: &str = "/etc/sysconfig/kubelet";
const KEY: &str = "KUBELET_EXTRA_ARGS=";
const ARGUMENT: &str = "--resolv-conf=/opt/kubernetes/resolv.conf";
/// Where kubelet reads name servers. kubeadm names the second file if
/// systemd-resolved runs.
const PLACES: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

/// The changes that give pods name servers, or take ours away once the node has its
/// own.
pub(super) fn changes(node: &Node<'_>, step: StepName) -> anyhow::Result<Vec<Change>> {
    let host = node.host;
    let is_needed = !has_server(host)?;
    let mut changes = Vec::new();
    if is_needed {
        changes.extend(file(host, RESOLV_CONF, &servers(node.intent.address))?);
    }
    let before = host.bytes(ARGUMENTS)?.unwrap_or_default();
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

fn servers(address: IpAddr) -> String {
    format!("# Written by kubeferry: this node knows no DNS server.\nnameserver {address}\n")
}

/// Whether the node knows a name server that a pod can ask too (resolv.conf(5)).
fn has_server(host: &Host) -> anyhow::Result<bool> {
    for place in PLACES {
        let text = host.read(place)?.unwrap_or_default();
        let server = |line: &str| {
            let address = line.strip_prefix("nameserver")?.split_ascii_whitespace().next()?;
            // An IPv6 address may have its interface after it.
            address.split('%').next()?.parse::<IpAddr>().ok()
        };
        if text.lines().filter_map(server).any(|address| !address.is_loopback()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The file with our argument among the others, or without it. The last line for a
/// variable counts (systemd.exec(5)). All other bytes stay.
fn with_argument(text: &[u8], is_needed: bool) -> Vec<u8> {
    let is_own = |line: &&[u8]| line.starts_with(KEY.as_bytes());
    let last = lines(text).filter(is_own).last().unwrap_or_default();
    let value = last.strip_prefix(KEY.as_bytes()).unwrap_or_default().trim_ascii();
    let quoted = |quote: u8| value.strip_prefix(&[quote])?.strip_suffix(&[quote]);
    let bare = quoted(b'"').or(quoted(b'\'')).unwrap_or(value);
    let mut words: Vec<&[u8]> = bare.split(u8::is_ascii_whitespace).collect();
    words.retain(|word| !word.is_empty());
    let argument = ARGUMENT.as_bytes();
    if words.contains(&argument) == is_needed {
        return text.to_owned();
    }
    words.retain(|word| *word != argument);
    words.extend(is_needed.then_some(argument));
    let quote: &[u8] = if words.len() > 1 { b"\"" } else { b"" };
    let others = lines(text).filter(|line| !is_own(line));
    let mut all = others.collect::<Vec<_>>().concat();
    end_last(&mut all);
    all.extend([KEY.as_bytes(), quote, &words.join(&b' '), quote, b"\n"].concat());
    all
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
            let (without, with) = (without.as_bytes(), with.as_bytes());
            assert_eq!(with_argument(without, true), with);
            assert_eq!(with_argument(with, true), with);
            assert_eq!(with_argument(with, false), without);
            assert_eq!(with_argument(without, false), without);
        }
        assert_eq!(with_argument(b"", true), ours.as_bytes());
        assert_eq!(with_argument(b"", false), b"");
        let odd = b"# Stra\xdfe\r\nKUBELET_EXTRA_ARGS='--v=2'\r\nA=b";
        let after = format!("A=b\n{KEY}\"--v=2 {ARGUMENT}\"\n");
        assert_eq!(with_argument(odd, true), [&b"# Stra\xdfe\r\n"[..], after.as_bytes()].concat());
    }
}
