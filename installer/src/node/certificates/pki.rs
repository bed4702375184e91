//! The certificates that kubeadm and kubelet keep on a node, and their purposes
//! (kubernetes.io, "PKI certificates and requirements").

use anyhow::{Context, ensure};

use crate::failure::Failure;
use crate::host::Host;
use crate::node::certificates::certificate::Certificate;
use crate::node::certificates::kept::{Keeper, Kept};
use crate::node::certificates::kubeconfig::Kubeconfig;
use crate::node::certificates::kubelet;
use crate::node::paths::{PKI, ROOT_KUBECONFIG};

/// Certificates in files below [`PKI`].
const IN_PKI: [(&str, Keeper, &str); 10] = [
    ("ca", Keeper::Authority, "the cluster's authority"),
    ("etcd/ca", Keeper::Authority, "etcd's authority"),
    ("front-proxy-ca", Keeper::Authority, "the authority of extension API servers"),
    ("apiserver", Keeper::ControlPlane, "API server to its clients"),
    ("apiserver-kubelet-client", Keeper::ControlPlane, "API server to kubelets"),
    ("apiserver-etcd-client", Keeper::ControlPlane, "API server to etcd"),
    ("front-proxy-client", Keeper::ControlPlane, "API server to extension API servers"),
    ("etcd/server", Keeper::ControlPlane, "etcd to its clients"),
    ("etcd/peer", Keeper::ControlPlane, "etcd to etcd on other masters"),
    ("etcd/healthcheck-client", Keeper::ControlPlane, "etcd's health check"),
];

/// Kubeconfigs of the control plane, which contain their certificates.
const CONFIGS: [(&str, &str); 4] = [
    ("admin", "administrator"),
    ("super-admin", "administrator past all roles"),
    ("controller-manager", "controller manager to API server"),
    ("scheduler", "scheduler to API server"),
];

/// All certificates of the node, and the errors of files that could not be read.
pub fn all(host: &Host) -> (Vec<Kept>, Vec<String>) {
    let (mut all, mut unread) = (Vec::new(), Vec::new());
    let files = files(host).unwrap_or_else(|error| {
        unread.push(format!("{error:#}"));
        Vec::new()
    });
    let configs =
        CONFIGS.iter().map(|(name, _)| config_path(name)).chain([ROOT_KUBECONFIG.to_owned()]);
    let found = files.into_iter().map(|path| of_file(host, &path));
    let found = found.chain(configs.map(|path| of_config(host, &path)));
    for one in found.chain([kubelet::of_client(host), kubelet::of_serving(host)]) {
        match one {
            Ok(found) => all.extend(found),
            Err(error) => unread.push(format!("{error:#}")),
        }
    }
    (all, unread)
}

/// The certificates of the authorities.
pub(crate) fn of_authorities(host: &Host) -> anyhow::Result<Vec<Kept>> {
    known_in_pki(host, Keeper::Authority)
}

/// The control plane's certificates. A file that is no kubeconfig has none.
pub fn of_control_plane(host: &Host) -> anyhow::Result<Vec<Kept>> {
    let mut all = known_in_pki(host, Keeper::ControlPlane)?;
    let configs = CONFIGS.iter().map(|(name, _)| config_path(name));
    for path in configs {
        if Kubeconfig::whole(host, &path)?.is_some() {
            all.extend(of_config(host, &path)?);
        }
    }
    Ok(all)
}

fn known_in_pki(host: &Host, keeper: Keeper) -> anyhow::Result<Vec<Kept>> {
    let known = IN_PKI.iter().filter(|(_, of, _)| *of == keeper);
    let paths = known.map(|(name, ..)| format!("{PKI}/{name}.crt"));
    let here = paths.filter(|path| host.exists(path)).map(|path| of_file(host, &path));
    Ok(here.collect::<anyhow::Result<Vec<_>>>()?.concat())
}

/// The certificate in a kubeconfig of the control plane, or in root's own.
pub(crate) fn of_config(host: &Host, path: &str) -> anyhow::Result<Vec<Kept>> {
    let known = CONFIGS.iter().find(|(name, _)| path == config_path(name));
    let (keeper, purpose) = match known {
        Some((_, purpose)) => (Keeper::ControlPlane, *purpose),
        None => (Keeper::Root, "root's kubectl"),
    };
    let found = Kubeconfig::read(host, path)?.map(|config| config.client).unwrap_or_default();
    let keep = |certificate| Kept { path: path.to_owned(), purpose, keeper, certificate };
    Ok(found.into_iter().map(keep).collect())
}

/// Whether the text of such a file contains its certificate.
pub(crate) fn is_whole(path: &str, text: &str) -> bool {
    let found = if path.ends_with(".conf") {
        Kubeconfig::parse(text).map(|config| config.client)
    } else {
        Certificate::all_of(text)
    };
    found.is_ok_and(|found| !found.is_empty())
}

/// The existing files that `kubeadm certs renew all` writes: each certificate with
/// its key, and kubeconfigs.
pub(crate) fn renewed_files(host: &Host) -> Vec<String> {
    let own = IN_PKI.iter().filter(|(_, keeper, _)| *keeper == Keeper::ControlPlane);
    let pairs = own.flat_map(|(name, ..)| ["crt", "key"].map(|end| format!("{PKI}/{name}.{end}")));
    let configs = CONFIGS.iter().map(|(name, _)| config_path(name));
    pairs.chain(configs).filter(|path| host.exists(path)).collect()
}

/// The failure if nothing can be signed here, because an authority's key is
/// elsewhere.
pub(crate) fn signed_elsewhere(host: &Host, cure: &str) -> Option<Failure> {
    let authorities = IN_PKI.iter().filter(|(_, keeper, _)| *keeper == Keeper::Authority);
    let here = authorities.filter(|(name, ..)| host.exists(format!("{PKI}/{name}.crt")));
    let key = here.map(|(name, ..)| format!("{PKI}/{name}.key")).find(|key| !host.exists(key))?;
    let what =
        format!("{key} is not here: an authority elsewhere signs this cluster's certificates");
    Some(Failure::new(what, cure))
}

fn config_path(name: &str) -> String {
    format!("/etc/kubernetes/{name}.conf")
}

/// All certificate files below [`PKI`].
fn files(host: &Host) -> anyhow::Result<Vec<String>> {
    let mut folders = vec![PKI.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for name in host.list(&folder)? {
            let path = format!("{folder}/{name}");
            let is_folder = host.path(&path).symlink_metadata().is_ok_and(|meta| meta.is_dir());
            if is_folder {
                folders.push(path);
            } else if name.ends_with(".crt") {
                files.push(path);
            }
        }
    }
    Ok(files)
}

fn of_file(host: &Host, path: &str) -> anyhow::Result<Vec<Kept>> {
    let text = host.read(path)?.unwrap_or_default();
    let found = Certificate::all_of(&text).with_context(|| format!("reading {path}"))?;
    // A full disk or a power loss can leave an empty file.
    ensure!(!found.is_empty(), "{path} has no certificate in it");
    let name = path.strip_prefix(PKI).unwrap_or_default().trim_start_matches('/');
    let known = IN_PKI.iter().find(|(known, ..)| name.strip_suffix(".crt") == Some(known));
    let (keeper, purpose) =
        known.map_or((Keeper::Other, "not kubeadm's"), |known| (known.1, known.2));
    let keep = |certificate| Kept { path: path.to_owned(), purpose, keeper, certificate };
    Ok(found.into_iter().map(keep).collect())
}
