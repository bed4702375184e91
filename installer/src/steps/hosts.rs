//! The node's name, and `/etc/hosts`: the names of the cluster's machines, for sites
//! without DNS. Without a default route, kubelet finds its address there. An older
//! line with such a name and another address becomes a comment: getaddrinfo(3) and Go
//! take the addresses of all lines, and most programs then use the first
//! (agorakube#327).

use std::net::IpAddr;

use super::lines::{end_last, lines, shown};
use crate::engine::step::Step;
use crate::exec::Command;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::receipt::StepName;
use crate::steps::file::file;

const PATH: &str = "/etc/hosts";
const BEGIN: &str = "# kubeferry: the cluster's machines";
const END: &str = "# kubeferry: end";

/// Tells cloud-init to leave the file alone. cloud-init lets the last file win.
const CLOUD: &str = "/etc/cloud/cloud.cfg.d/zz-kubeferry.cfg";

/// Sets the host name, and writes `/etc/hosts`.
pub struct Hosts;

impl Step<Intent> for Hosts {
    fn name(&self) -> StepName {
        StepName::Hosts
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
                intention: None,
            });
        }
        let mut machines = vec![(intent.address, wanted)];
        if let Some(join) = &intent.join {
            let masters = join.all_masters().into_iter();
            machines.extend(masters.map(|one| (one.address, one.name.to_string())));
        }
        machines
            .extend(intent.cluster.nodes.iter().map(|node| (node.address, node.name.to_string())));
        machines.sort();
        machines.dedup();
        let before = node.host.bytes(PATH)?.unwrap_or_default();
        changes.extend(file(node.host, PATH, &with_block(&before, &machines))?);
        if is_written_anew(node.host)? {
            changes.extend(file(node.host, CLOUD, "manage_etc_hosts: false\n")?);
        }
        Ok(changes)
    }
}

/// Whether cloud-init writes the file at each boot (`update_etc_hosts`), or adds this
/// node's name at 127.0.1.1.
fn is_written_anew(host: &Host) -> anyhow::Result<bool> {
    let folder = "/etc/cloud/cloud.cfg.d";
    let names = host.list(folder)?.into_iter().filter(|name| name.ends_with(".cfg"));
    let mut paths: Vec<String> = names.map(|name| format!("{folder}/{name}")).collect();
    paths.retain(|path| path != CLOUD);
    paths.push("/etc/cloud/cloud.cfg".to_owned());
    for path in paths {
        let text = host.read(&path)?.unwrap_or_default();
        let value = |line: &str| {
            let value = line.strip_prefix("manage_etc_hosts:")?.split('#').next()?;
            Some(value.trim().trim_matches(['"', '\'']).to_lowercase())
        };
        let is_on = |value: String| {
            ["true", "template", "localhost", "yes", "on"].contains(&value.as_str())
        };
        if text.lines().filter_map(value).any(is_on) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The file with our block in place of an older one, and without other lines for our
/// names.
fn with_block(text: &[u8], machines: &[(IpAddr, String)]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut rest = lines(text);
    while let Some(line) = rest.next() {
        if shown(line) != BEGIN {
            all.extend(without_machines(line, machines));
        } else if rest.clone().any(|line| shown(line) == END) {
            // Without the end mark nobody knows which lines are ours.
            rest.find(|line| shown(line) == END);
        }
    }
    end_last(&mut all);
    let machines: String =
        machines.iter().map(|(address, name)| format!("{address} {name}\n")).collect();
    all.extend_from_slice(format!("{BEGIN}\n{machines}{END}\n").as_bytes());
    all
}

/// A line without the names of our machines, unless it has their right address. The
/// old line stays as a comment, and its other names stay in force.
fn without_machines(line: &[u8], machines: &[(IpAddr, String)]) -> Vec<u8> {
    let told = shown(line);
    // hosts(5): an address, then names; a comment begins with `#`.
    let mut words = told.split('#').next().unwrap_or_default().split_ascii_whitespace();
    // Go also accepts an IPv6 address with its interface.
    let address = words.next().and_then(|word| word.split('%').next()?.parse::<IpAddr>().ok());
    let Some(address) = address else { return line.to_vec() };
    let is_ours = |name: &str| {
        let bare = name.strip_suffix('.').unwrap_or(name);
        let mut same = machines.iter().filter(|(_, own)| own.eq_ignore_ascii_case(bare)).peekable();
        same.peek().is_some() && !same.any(|(own, _)| *own == address)
    };
    let (ours, others): (Vec<&str>, Vec<&str>) = words.partition(|name| is_ours(name));
    if ours.is_empty() {
        return line.to_vec();
    }
    let mut all = [b"# kubeferry: ", line].concat();
    if !others.is_empty() {
        end_last(&mut all);
        let end = if line.ends_with(b"\r\n") { "\r\n" } else { "\n" };
        let first = told.split_ascii_whitespace().next().unwrap_or_default();
        all.extend_from_slice(format!("{first} {}{end}", others.join(" ")).as_bytes());
    }
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
        // The same with the line breaks of Windows.
        let again = with_block(&once.replace('\n', "\r\n"), &[machine(1, "m")]);
        assert_eq!(again.matches(BEGIN).count(), 1);
    }

    #[test]
    fn older_lines_of_our_names_become_comments() {
        let machines = [
            (IpAddr::from([10, 0, 0, 1]), "node-1".to_owned()),
            (IpAddr::from([10, 0, 0, 2]), "node-2".to_owned()),
        ];
        let after = |line: &str| {
            let all = with_block(line.as_bytes(), &machines);
            let all = String::from_utf8(all).unwrap();
            assert_eq!(with_block(all.as_bytes(), &machines), all.as_bytes(), "{line}");
            all.split_once(BEGIN).unwrap().0.to_owned()
        };
        for (line, expected) in [
            ("10.9.9.9 node-1\n", "# kubeferry: 10.9.9.9 node-1\n"),
            ("127.0.1.1\tNODE-1.\n", "# kubeferry: 127.0.1.1\tNODE-1.\n"),
            ("fe80::1%eth0 node-1\n", "# kubeferry: fe80::1%eth0 node-1\n"),
            // Two machines at one address make two lines of ours.
            ("10.0.0.2 node-1 node-2", "# kubeferry: 10.0.0.2 node-1 node-2\n10.0.0.2 node-2\n"),
            (
                "127.0.0.1 localhost Node-1 localhost4 # by hand\n",
                "# kubeferry: 127.0.0.1 localhost Node-1 localhost4 # by hand\n\
                 127.0.0.1 localhost localhost4\n",
            ),
            ("::1 a node-2\r\n", "# kubeferry: ::1 a node-2\r\n::1 a\r\n"),
        ] {
            assert_eq!(after(line), expected, "{line}");
        }
        for line in [
            "# 10.9.9.9 node-1\n",
            "10.9.9.9 nas # node-1\n",
            "10.9.9.9 node-1.site node-11\n",
            "10.0.0.1 NODE-1 node-1.site\n",
            "node-1\n",
            "10.9 node-1\n",
        ] {
            assert_eq!(after(line), line);
        }
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
