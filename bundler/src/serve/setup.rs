//! The files that nodes need to take images and packages from the server.

use bundle_format::BundlePath;
use bundle_format::lock::LockedTarget;

use super::offer::Offer;

/// Where nodes are told to keep the server's certificate.
const CERTIFICATE: &str = "/etc/kubeferry/serve.crt";

/// How nodes reach the server.
pub struct Place {
    /// Scheme, name and port: `https://192.168.1.5:8443`.
    pub url: String,
    /// The certificate that nodes must be given, in PEM; none if they know who issued it.
    pub certificate: Option<String>,
}

/// All files, each below a line with its path, and the lines for the cluster file.
pub fn files(offer: &Offer, place: &Place) -> String {
    let mut text = String::new();
    if let Some(certificate) = &place.certificate {
        text += &headed(CERTIFICATE, certificate);
    }
    let lock = offer.bundle.lock();
    for target in &lock.targets {
        let path = format!("/etc/yum.repos.d/kubeferry.repo, on nodes of {}", target.id);
        text += &headed(&path, &repository(offer, place, target));
    }
    for upstream in offer.registry.upstreams() {
        let path = format!("/etc/containerd/certs.d/{upstream}/hosts.toml");
        text += &headed(&path, &host(place));
    }
    let mirrors = offer.registry.upstreams();
    let mirrors = mirrors.iter().map(|own| format!("  {own}: [\"{}\"]\n", place.url));
    let mirrors = format!("registryMirrors:\n{}", mirrors.collect::<String>());
    let trust = match &place.certificate {
        Some(_) => " if the system trusts the certificate, in place of hosts.toml",
        None => ", in place of hosts.toml",
    };
    text + &headed(&format!("the cluster file{trust}"), &mirrors)
}

fn headed(title: &str, text: &str) -> String {
    format!("# {title}\n{}\n\n", text.trim_end())
}

/// A repository of dnf and yum, with the vendors' keys. As on nodes, signatures are checked
/// unless the spec has a repository without keys.
fn repository(offer: &Offer, place: &Place, target: &LockedTarget) -> String {
    let url = &place.url;
    let is_key =
        |path: &&BundlePath| matches!(path, BundlePath::Key { target: of, .. } if *of == target.id);
    let paths = offer.bundle.contents().iter().map(|file| &file.path);
    let keys: Vec<String> = paths.filter(is_key).map(|key| format!("{url}/{key}")).collect();
    let gpgcheck = u8::from(target.repositories.iter().all(|one| !one.keys.is_empty()));
    let mut text = format!(
        "[kubeferry]\nname=Packages of the bundle {}\nbaseurl={url}/rpms/{}/\n\
         gpgcheck={gpgcheck}\ngpgkey={}\n",
        offer.bundle.lock().name,
        target.id,
        keys.join(" ")
    );
    if target.module_hotfixes {
        text += "module_hotfixes=1\n";
    }
    if place.certificate.is_some() {
        text += &format!("sslcacert={CERTIFICATE}\n");
    }
    text
}

/// containerd's settings of a mirror (its `docs/hosts.md`).
fn host(place: &Place) -> String {
    let mut text = format!("[host.\"{}\"]\n  capabilities = [\"pull\", \"resolve\"]\n", place.url);
    if place.certificate.is_some() {
        text += &format!("  ca = \"{CERTIFICATE}\"\n");
    }
    text
}
