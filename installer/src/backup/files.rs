//! Which files of a master belong to a backup: all below kubeadm's folder that kubeadm
//! cannot make again from the others.

use std::path::Path;

use bundle_format::portable_path::PortablePath;
use walkdir::WalkDir;

use super::contents::LARGEST_FILE;
use crate::host::Host;
use crate::node::paths::{AUTHORITY_KEY, KUBERNETES};

/// Folders that kubeadm fills.
const FOLDERS: [&str; 2] = ["manifests", "tmp"];
/// The certificates that kubeadm makes with the authorities' keys, for the names and
/// addresses that the master then has.
const LEAVES: [&str; 7] = [
    "pki/apiserver",
    "pki/apiserver-etcd-client",
    "pki/apiserver-kubelet-client",
    "pki/etcd/healthcheck-client",
    "pki/etcd/peer",
    "pki/etcd/server",
    "pki/front-proxy-client",
];

/// A file of the master, and its bytes.
pub(super) struct Found {
    pub(super) path: PortablePath,
    pub(super) mode: u32,
    pub(super) bytes: Vec<u8>,
}

/// The files to keep, sorted by their paths; and those that cannot be kept, each with
/// the reason. A link that leads nowhere, or a log, must not stop a backup.
pub(super) fn all(host: &Host) -> anyhow::Result<(Vec<Found>, Vec<String>)> {
    // Without that key kubeadm makes no certificates: a site's own authority made them.
    let has_key = host.exists(AUTHORITY_KEY);
    let root = host.path(KUBERNETES);
    let below =
        |path: &Path| path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned();
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    // A site may have put links to its own keys there.
    let walk = WalkDir::new(&root).follow_links(true).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| !FOLDERS.contains(&below(entry.path()).as_str())) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                left_out.push(error.to_string());
                continue;
            }
        };
        let path = below(entry.path());
        if !entry.file_type().is_file() || is_made_by_kubeadm(&path, has_key) {
            continue;
        }
        let full = Path::new(KUBERNETES).join(&path);
        let size = entry.metadata().map_or(0, |file| file.len());
        match path.parse() {
            Ok(_) if size > LARGEST_FILE => left_out.push(format!(
                "{} has more than {} KiB, and is no key or policy",
                full.display(),
                LARGEST_FILE >> 10
            )),
            Ok(path) => {
                let bytes = host.bytes(&full)?.unwrap_or_default();
                let mode = host.mode(&full)?.unwrap_or(0o600);
                found.push(Found { path, mode, bytes });
            }
            Err(error) => left_out.push(format!("{}: {error}", full.display())),
        }
    }
    Ok((found, left_out))
}

/// Kubeconfigs lie beside the folders. Each has a certificate of its own.
fn is_made_by_kubeadm(path: &str, has_key: bool) -> bool {
    let is_kubeconfig = !path.contains('/') && path.ends_with(".conf");
    let stem = path.strip_suffix(".crt").or(path.strip_suffix(".key"));
    has_key && (is_kubeconfig || stem.is_some_and(|stem| LEAVES.contains(&stem)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::exec::system::SystemExec;

    #[test]
    fn what_kubeadm_makes_again_is_left_out_unless_it_cannot() {
        let folder = tempfile::tempdir().unwrap();
        let kubernetes = folder.path().join("etc/kubernetes");
        let files = [
            "admin.conf",
            "audit/policy.yaml",
            "manifests/etcd.yaml",
            "pki/apiserver.crt",
            "pki/apiserver.key",
            "pki/ca.crt",
            "pki/ca.key",
            "pki/etcd/ca.key",
            "pki/etcd/peer.crt",
            "pki/sa.key",
        ];
        for file in files {
            let path = kubernetes.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let kept = || {
            let host = Host::look(folder.path(), Box::new(SystemExec { root: None })).unwrap();
            let (all, left_out) = all(&host).unwrap();
            assert_eq!(left_out, Vec::<String>::new());
            all.iter().map(|file| file.path.as_str().to_owned()).collect::<Vec<_>>()
        };
        let own =
            ["audit/policy.yaml", "pki/ca.crt", "pki/ca.key", "pki/etcd/ca.key", "pki/sa.key"];
        assert_eq!(kept(), own);
        fs::remove_file(kubernetes.join("pki/ca.key")).unwrap();
        assert_eq!(kept().len(), files.len() - 2);
        fs::write(kubernetes.join("pki/large"), vec![0; 2 << 20]).unwrap();
        std::os::unix::fs::symlink("nowhere", kubernetes.join("pki/link")).unwrap();
        let host = Host::look(folder.path(), Box::new(SystemExec { root: None })).unwrap();
        let left_out = all(&host).unwrap().1.join("\n");
        assert!(
            left_out.contains("/etc/kubernetes/pki/large has more than 1024 KiB"),
            "{left_out}"
        );
        assert!(left_out.contains("pki/link"), "{left_out}");
    }
}
