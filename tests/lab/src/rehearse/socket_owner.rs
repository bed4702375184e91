//! Which process of a node has a socket: by the tables of proc(5), while the socket is
//! there.

use std::fs;
use std::path::Path;

use rustix::process::Pid;

/// Who has a socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// A container of the pod with this uid, which uses its node's own network.
    Pod(String),
    /// A program.
    Program(String),
}

/// The owner of the socket with a local port, in the network of a node whose process
/// 1 this is.
pub(super) fn of(init: Pid, protocol: &str, port: u16) -> Option<Owner> {
    let init = format!("/proc/{}", init.as_raw_nonzero());
    let tables = [protocol.to_owned(), format!("{protocol}6")];
    let inode = tables.iter().find_map(|table| {
        let table = fs::read_to_string(format!("{init}/net/{table}")).ok()?;
        inode(&table, port)
    })?;
    let network = fs::read_link(format!("{init}/ns/net")).ok()?;
    let socket = format!("socket:[{inode}]");
    let has_it = |process: &Path| {
        let is_socket = |file: fs::DirEntry| {
            fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == socket.as_str())
        };
        fs::read_link(process.join("ns/net")).is_ok_and(|own| own == network)
            && fs::read_dir(process.join("fd"))
                .is_ok_and(|mut fds| fds.any(|file| file.is_ok_and(is_socket)))
    };
    let mut processes = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    let process = processes.find(|process| has_it(process))?;
    let groups = fs::read_to_string(process.join("cgroup")).unwrap_or_default();
    if let Some(uid) = pod(&groups) {
        return Some(Owner::Pod(uid));
    }
    let name = fs::read_to_string(process.join("comm")).ok()?;
    Some(Owner::Program(name.trim().to_owned()))
}

/// The inode of the socket with a local port, in a table such as `/proc/net/tcp`.
fn inode(table: &str, port: u16) -> Option<u64> {
    let end = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let inode = fields.get(9)?.parse().ok()?;
        // A socket that its process has closed has the number 0.
        (fields.get(1)?.ends_with(&end) && inode != 0).then_some(inode)
    })
}

/// The uid of the pod in whose control groups a process is: `…/pod<uid>/…`, or
/// `…-pod<uid with _>.slice/…` where systemd makes them.
fn pod(groups: &str) -> Option<String> {
    let parts =
        groups.lines().filter(|line| line.contains("kubepods")).flat_map(|line| line.split('/'));
    let mut uids = parts.filter_map(|part| {
        let (_, uid) = part.trim_end_matches(".slice").rsplit_once("pod")?;
        let uid = uid.replace('_', "-");
        // A pod of a file has a digest for one.
        let is_uid = matches!(uid.len(), 32 | 36)
            && uid.chars().all(|sign| sign.is_ascii_hexdigit() || sign == '-');
        is_uid.then_some(uid)
    });
    uids.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_known_by_its_control_group() {
        let uid = "0f3f8e1c-2a52-4a5f-9d4c-0123456789ab";
        let systemd = format!(
            "4:memory:/kubeferry-lab-node1/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{}.slice/cri-1.scope",
            uid.replace('-', "_")
        );
        let cgroupfs = format!("1:name=systemd:/\n4:memory:/kubepods/besteffort/pod{uid}/1");
        assert_eq!(pod(&systemd).as_deref(), Some(uid));
        assert_eq!(pod(&cgroupfs).as_deref(), Some(uid));
        assert_eq!(pod("4:memory:/system.slice/chronyd.service"), None);
    }

    #[test]
    fn a_socket_is_found_by_its_local_port() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0B4DA8C0:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1
   1: 0B4DA8C0:E900 0A0200C0:1F90 02 00000000:00000000 01:00000064 00000000     0        0 4711 2
";
        assert_eq!(inode(table, 0xE900), Some(4711));
        assert_eq!(inode(table, 0x50), None);
        assert_eq!(inode(table, 1), None);
    }
}
