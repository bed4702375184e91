//! The node's name, and `/etc/hosts`: the cluster's machines by name, where a
//! site has no DNS. kubelet finds its address there when there is no default
//! route.

use std::net::IpAddr;

use super::file;
use super::lines::{end_last, lines, shown};
use crate::change::Change;
use crate::exec::Command;
use crate::step::{Node, Step};

const PATH: &str = "/etc/hosts";
const BEGIN: &str = "# kubeferry: the cluster's machines";
const END: &str = "# kubeferry: end";

/// See the module.
pub struct Hosts;

impl Step for Hosts {
    fn name(&self) -> &'static str {
        "hosts"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let intent = node.intent;
        let mut changes = Vec::new();
        let wanted = intent.name.to_string();
        let now = node.host.query("hostname").stdout.trim().to_owned();
        let now = if now.is_empty() { intent.facts.host_name.clone() } else { now };
        if now != wanted {
            changes.push(Change::Run {
                command: Command::of("hostnamectl set-hostname").with(wanted.clone()),
                undo: vec![Command::of("hostnamectl set-hostname").with(now)],
                files: Vec::new(),
            });
        }
        let mut machines = vec![(IpAddr::from(intent.address), wanted)];
        if let Some(join) = &intent.join {
            machines.push((join.master_address.into(), join.master.to_string()));
        }
        machines
            .extend(intent.cluster.nodes.iter().map(|node| (node.address, node.name.to_string())));
        machines.sort();
        machines.dedup();
        let before = node.host.bytes(PATH)?.unwrap_or_default();
        changes.extend(file(node.host, PATH, &with_block(&before, &machines))?);
        Ok(changes)
    }
}

/// The file with our lines in place of those of an earlier run.
fn with_block(text: &[u8], machines: &[(IpAddr, String)]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut rest = lines(text);
    while let Some(line) = rest.next() {
        if shown(line) != BEGIN {
            all.extend_from_slice(line);
        } else if rest.clone().any(|line| shown(line) == END) {
            // Without its end nobody can tell what is ours.
            rest.find(|line| shown(line) == END);
        }
    }
    end_last(&mut all);
    let machines: String =
        machines.iter().map(|(address, name)| format!("{address} {name}\n")).collect();
    all.extend_from_slice(format!("{BEGIN}\n{machines}{END}\n").as_bytes());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_lines_are_replaced() {
        let machine = |last: u8, name: &str| (IpAddr::from([10, 0, 0, last]), name.to_owned());
        let with_block = |text: &str, machines: &[_]| {
            String::from_utf8(with_block(text.as_bytes(), machines)).unwrap()
        };
        let once = with_block("127.0.0.1 localhost\n10.0.0.9 nas", &[machine(1, "m")]);
        assert_eq!(
            once,
            format!("127.0.0.1 localhost\n10.0.0.9 nas\n{BEGIN}\n10.0.0.1 m\n{END}\n")
        );
        assert_eq!(with_block(&once, &[machine(1, "m")]), once);
        assert!(with_block(&once, &[machine(2, "w")]).contains("\n10.0.0.2 w\n"));
        assert!(!with_block(&once, &[machine(2, "w")]).contains("10.0.0.1 m"));
        let cut = once.replace(&format!("{END}\n"), "10.0.0.8 printer\n");
        assert!(with_block(&cut, &[machine(1, "m")]).contains("\n10.0.0.8 printer\n"));
        // Of an editor of Windows, too.
        let again = with_block(&once.replace('\n', "\r\n"), &[machine(1, "m")]);
        assert_eq!(again.matches(BEGIN).count(), 1);
    }

    #[test]
    fn all_other_bytes_stay() {
        let windows = b"127.0.0.1 localhost\r\n# Stra\xdfe\r\n";
        for before in [&windows[..], b"\n\n# x", b"\xff\xfe", b""] {
            let after = with_block(before, &[]);
            assert!(after.starts_with(before));
            assert_eq!(with_block(&after, &[]), after);
        }
    }
}
