//! An intention, of a bundle that holds nothing but its lock.

use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use bundle_format::archive::{reader::Bundle, writer};
use bundle_format::layout::Layout;
use bundle_format::lock::{LOCK_VERSION, LockedTarget};
use bundle_format::{Architecture, Digest, Lock};
use installer::cluster::{Cluster, NodeName, Selinux};
use installer::facts::Facts;
use installer::join::JoinFile;
use installer::role::Role;
use installer::step::Intent;

const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

pub(super) fn of(root: &Path, role: Role) -> Intent {
    let name = |text: &str| NodeName::try_from(text.to_owned()).unwrap();
    let cluster = Cluster { selinux: Selinux::Permissive, ..Cluster::default() };
    let join = JoinFile {
        endpoint: "10.0.0.1:6443".to_owned(),
        token: "abcdef.0123456789abcdef".to_owned(),
        ca_cert_hash: "sha256:00".to_owned(),
        master: name("master"),
        master_address: Ipv4Addr::new(10, 0, 0, 1),
        cluster: cluster.clone(),
    };
    Intent {
        role,
        bundle: bundle(),
        target: LockedTarget {
            id: "el9-x86_64".to_owned(),
            family: "el9".to_owned(),
            architecture: Architecture::X86_64,
            baseline: "none".to_owned(),
            requested: Vec::new(),
            repositories: Vec::new(),
            module_hotfixes: false,
        },
        cluster,
        facts: Facts {
            system: "a small node".to_owned(),
            family: Some("el9".to_owned()),
            architecture: Architecture::X86_64,
            kernel: "5.14".to_owned(),
            host_name: std::fs::read_to_string(root.join("proc/sys/kernel/hostname")).unwrap(),
            addresses: vec![("eth0".to_owned(), ADDRESS)],
            default_route: None,
            processors: 2,
            memory: 4 << 30,
            swaps: Vec::new(),
        },
        name: name("node-1"),
        address: ADDRESS,
        join: (role == Role::Worker).then_some(join),
    }
}

fn bundle() -> Bundle {
    let lock = Lock {
        lock_version: LOCK_VERSION,
        name: "small".to_owned(),
        spec: Digest::of(b""),
        kubernetes: "1.28.2".to_owned(),
        containerd: Some("1.6.25".to_owned()),
        sandbox_image: None,
        targets: Vec::new(),
        rpms: Vec::new(),
        images: Vec::new(),
        manifests: Vec::new(),
        files: Vec::new(),
        disabled_checks: Vec::new(),
        warnings: Vec::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.tar");
    let layout = Layout::new(&lock, &[]).unwrap();
    let empty = |_: &_| Ok(io::empty());
    writer::write(&mut File::create(&path).unwrap(), &layout, empty, |_| ()).unwrap();
    Bundle::open(&path).unwrap()
}
