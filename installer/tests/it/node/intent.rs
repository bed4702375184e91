//! An intention, of a bundle that holds nothing but its lock.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use bundle_format::archive::{reader::Bundle, writer};
use bundle_format::cluster::{Cluster, Given, NodeName, Selinux};
use bundle_format::layout::{Content, FILE_TYPE, Layout, YAML_TYPE};
use bundle_format::lock::{
    CheckName, Descriptor, DisabledCheck, FileKind, FileSource, LOCK_VERSION,
    LOCK_VERSION_WITH_HOPS, LockedFile, LockedImage, LockedManifest, LockedTarget,
};
use bundle_format::oci::OCI_INDEX;
use bundle_format::{Architecture, BundlePath, Digest, Lock};
use installer::intent::Intent;
use installer::node::facts::Facts;
use installer::node::os_release::OsRelease;
use installer::role::Role;

use super::join::join_file;

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

pub(super) fn of(root: &Path, role: Role) -> Intent {
    let name = |text: &str| NodeName::try_from(text.to_owned()).unwrap();
    let cluster = Cluster { selinux: Selinux::Permissive, ..Cluster::default() };
    Intent {
        role,
        bundle: bundle_with(&[]),
        target: target(Architecture::X86_64),
        cluster: cluster.clone(),
        facts: Facts {
            system: "a small node".to_owned(),
            release: OsRelease::parse("ID=rocky\nVERSION_ID=9.3\nPLATFORM_ID=platform:el9\n"),
            family: Some("el9".to_owned()),
            architecture: Architecture::X86_64,
            kernel: "5.14".to_owned(),
            host_name: std::fs::read_to_string(root.join("proc/sys/kernel/hostname")).unwrap(),
            addresses: vec![("eth0".to_owned(), ADDRESS)],
            default_route: None,
            processors: 2,
            memory: 4 << 30,
            cgroup_v1: false,
            swaps: Vec::new(),
        },
        name: name("node-1"),
        address: ADDRESS,
        restore: None,
        upgrade: None,
        join: (role == Role::Worker).then(|| join_file(cluster)),
        kubeconfig: None,
    }
}

/// What a lock has of a manifest: its name and text.
pub(crate) fn locked((name, text): &(&str, &str)) -> LockedManifest {
    let descriptor = Descriptor {
        media_type: YAML_TYPE.into(),
        digest: Digest::of(text.as_bytes()),
        size: text.len() as u64,
    };
    LockedManifest {
        name: (*name).to_owned(),
        source: format!("{name}.yaml"),
        rendered: None,
        upstream: descriptor.clone(),
        applied: descriptor,
        patches: Vec::new(),
        images: Vec::new(),
        passes: Vec::new(),
        expects: Vec::new(),
    }
}

/// An image of a bundle, by its name.
pub(crate) fn image(name: &str) -> LockedImage {
    let name: bundle_format::ImageReference = name.parse().unwrap();
    let root = Descriptor { media_type: OCI_INDEX.into(), digest: Digest::of(b""), size: 0 };
    LockedImage {
        name: name.clone(),
        source: name,
        root,
        platforms: Vec::new(),
        unplaced: Vec::new(),
        signature: None,
        why: Vec::new(),
    }
}

/// What the file of a package is in the bundles here.
pub(crate) const PACKAGE: &str = "a package";

/// A package of a bundle.
pub(crate) struct Rpm {
    /// Its name, version and architecture.
    pub(crate) nevra: &'static str,
    /// Whether the spec asks for it.
    pub(crate) is_requested: bool,
    /// Which of the others need it, and how: a name with version and architecture,
    /// and a requirement.
    pub(crate) needed: &'static [(&'static str, &'static str)],
}

/// A bundle that has a package besides: its name, version and architecture.
pub(crate) fn bundle_with_package(nevra: &'static str) -> Bundle {
    bundle_with_packages(&[Rpm { nevra, is_requested: true, needed: &[] }]).0
}

/// A bundle that has packages, of a repository that is not signed, and its target.
pub(crate) fn bundle_with_packages(packages: &[Rpm]) -> (Bundle, LockedTarget) {
    let bundle = bundle_changed(&[], |lock| {
        lock.targets = vec![target(Architecture::X86_64)];
        add_packages(lock, packages);
    });
    let target = bundle.lock().targets[0].clone();
    (bundle, target)
}

/// Gives the target of a lock packages, of a repository that is not signed.
pub(crate) fn add_packages(lock: &mut Lock, packages: &[Rpm]) {
    let [target] = &mut lock.targets[..] else {
        panic!("there are {} targets", lock.targets.len())
    };
    let repository = serde_json::json!({
        "id": "own", "baseUrl": "http://own/", "repomd": Digest::of(b""), "keys": []
    });
    target.repositories = vec![serde_json::from_value(repository).unwrap()];
    let nevra = |text: &str| text.parse::<bundle_format::Nevra>().unwrap();
    let requested = packages.iter().filter(|one| one.is_requested);
    target.requested = requested.map(|one| nevra(one.nevra)).collect();
    let rpm = |one: &Rpm| {
        let package = nevra(one.nevra);
        let needs = one.needed.iter().map(|(by, what)| {
            serde_json::json!({"because": "requires", "package": nevra(by), "requirement": what})
        });
        let spec = serde_json::json!({"because": "spec", "path": "packages[0]", "line": 1});
        let why: Vec<_> = one.is_requested.then_some(spec).into_iter().chain(needs).collect();
        let rpm = serde_json::json!({
            "target": target.id, "package": package, "repository": "own",
            "source": format!("http://own/{}", package.file_name()), "size": PACKAGE.len(),
            "digest": Digest::of(PACKAGE.as_bytes()), "why": why
        });
        serde_json::from_value(rpm).unwrap()
    };
    lock.rpms = packages.iter().map(rpm).collect();
    let off = |check: CheckName| DisabledCheck {
        subject: format!("{}/own", target.id),
        ..unsigned(check)
    };
    lock.disabled_checks = [CheckName::Gpgcheck, CheckName::RepoGpgcheck].map(off).to_vec();
}

/// A bundle with a vendor's key, by which packages of two repositories are signed.
pub(crate) fn bundle_with_key(key: &str, fingerprint: &str) -> (Bundle, LockedTarget) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.tar");
    let mut target = target(Architecture::X86_64);
    let repository = |id: &str| {
        let text = serde_json::json!({
            "id": id, "baseUrl": "http://own/", "repomd": Digest::of(b""), "keys": [fingerprint],
            "repomdSignedBy": fingerprint
        });
        serde_json::from_value(text).unwrap()
    };
    target.repositories = ["own", "other"].map(repository).to_vec();
    let content = Descriptor {
        media_type: FILE_TYPE.into(),
        digest: Digest::of(key.as_bytes()),
        size: key.len() as u64,
    };
    let file = |id: &str| LockedFile {
        kind: FileKind::Key,
        path: format!("keys/el9-x86_64/{id}-1.asc").parse().unwrap(),
        source: FileSource::Named("http://own/key".to_owned()),
        content: content.clone(),
    };
    write_bundle_with(&path, &[], &[key], |lock| {
        lock.targets = vec![target.clone()];
        lock.files = ["own", "other"].map(file).to_vec();
    });
    (Bundle::open(&path).unwrap(), target)
}

/// A check of the repository `own` that the spec has off.
pub(crate) fn unsigned(check: CheckName) -> DisabledCheck {
    let [subject, reason] = ["el9-x86_64/own", "its maker signs nothing"].map(str::to_owned);
    DisabledCheck { check, subject, reason }
}

/// A bundle with these manifests.
pub(crate) fn bundle_with(manifests: &[(&str, &str)]) -> Bundle {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.tar");
    write_bundle(&path, Vec::new(), manifests);
    Bundle::open(&path).unwrap()
}

/// A bundle with these manifests, and a lock that is changed.
pub(crate) fn bundle_changed(manifests: &[(&str, &str)], change: impl FnOnce(&mut Lock)) -> Bundle {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.tar");
    write_bundle_of(&path, manifests, change);
    Bundle::open(&path).unwrap()
}

/// A bundle of another Kubernetes.
pub(crate) fn bundle_of(kubernetes: &str) -> Bundle {
    bundle_changed(&[], |lock| lock.kubernetes = kubernetes.parse().unwrap())
}

/// What a bundle has for nodes like this one.
pub(crate) fn target(architecture: Architecture) -> LockedTarget {
    LockedTarget {
        id: format!("el9-{architecture}"),
        family: "el9".to_owned(),
        architecture,
        systems: Vec::new(),
        baseline: "none".to_owned(),
        requested: Vec::new(),
        repositories: Vec::new(),
        module_hotfixes: false,
    }
}

/// A bundle for nodes of these kinds, with manifests: their names and texts.
pub(crate) fn write_bundle(path: &Path, targets: Vec<LockedTarget>, manifests: &[(&str, &str)]) {
    write_bundle_of(path, manifests, |lock| lock.targets = targets);
}

/// A bundle with manifests, and a lock that is changed.
pub(crate) fn write_bundle_of(
    path: &Path,
    manifests: &[(&str, &str)],
    change: impl FnOnce(&mut Lock),
) {
    write_bundle_with(path, manifests, &[], change);
}

/// The same, with more texts that the lock has files of.
pub(crate) fn write_bundle_with(
    path: &Path,
    manifests: &[(&str, &str)],
    more: &[&str],
    change: impl FnOnce(&mut Lock),
) {
    let texts = ["", PACKAGE].into_iter().chain(more.iter().copied());
    let texts = texts.chain(manifests.iter().map(|(_, text)| *text));
    let texts: Vec<(Digest, String)> =
        texts.map(|text| (Digest::of(text.as_bytes()), text.to_owned())).collect();
    let mut lock = Lock {
        lock_version: LOCK_VERSION,
        name: "small".to_owned(),
        spec: Digest::of(b""),
        kubernetes: "1.28.2".parse().unwrap(),
        containerd: Some("1.6.25".to_owned()),
        sandbox_image: None,
        targets: Vec::new(),
        rpms: Vec::new(),
        images: Vec::new(),
        manifests: manifests.iter().map(locked).collect(),
        files: Vec::new(),
        cluster: Given::default(),
        disabled_checks: Vec::new(),
        inputs: Vec::new(),
        hops: Vec::new(),
        warnings: Vec::new(),
    };
    change(&mut lock);
    if !lock.hops.is_empty() {
        lock.lock_version = LOCK_VERSION_WITH_HOPS;
    }
    let repodata = |target: &LockedTarget| Content {
        path: BundlePath::repomd(&target.id),
        descriptor: Descriptor { media_type: FILE_TYPE.into(), digest: Digest::of(b""), size: 0 },
    };
    let of_hops = lock.hops.iter().flat_map(|hop| {
        let all = hop.targets.iter().map(repodata);
        all.map(|file| Content { path: file.path.of_hop(&hop.kubernetes), ..file })
    });
    let repodata: Vec<Content> = lock.targets.iter().map(repodata).chain(of_hops).collect();
    let layout = Layout::new(&lock, &repodata).unwrap();
    let open = |blob: &Descriptor| {
        let text = texts.iter().find(|(digest, _)| *digest == blob.digest);
        Ok(io::Cursor::new(text.unwrap().1.clone()))
    };
    writer::write(&mut File::create(path).unwrap(), &layout, open, |_| ()).unwrap();
}
