//! The bundle's packages as a repository on the node, for its own dnf or yum, with
//! the vendors' keys, and with signatures checked. dnf and yum read settings of ours
//! with it. A site's settings for its own repositories (`exclude`, `versionlock` and
//! other plugins, `proxy`, `installroot`, `tsflags`, …) are not meant for the
//! bundle's packages: dnf and yum would refuse or silently skip some.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bundle_format::lock::Descriptor;
use bundle_format::{BundlePath, Digest};

use crate::engine::step::Step;
use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::paths::{DNF_CONFIG, PACKAGES};
use crate::receipt::StepName;
use crate::steps::file::file;
use crate::steps::{packages, vendor_keys};

/// The settings: no other repository, no plugins, no recommended packages; an old
/// kernel is not removed for a new one; metadata is never taken from the bundle
/// before; a running dnf or yum is an error, because waiting for it has no time
/// limit; a missing package is an error too, which yum would otherwise skip.
const SETTINGS: &str = "\
# Written by kubeferry: dnf and yum read this in place of the node's own settings.
[main]
reposdir=/dev/null
plugins=0
cachedir=/var/lib/kubeferry/packages/cache
metadata_expire=0
best=1
install_weak_deps=0
installonly_limit=0
exit_on_lock=1
skip_missing_names_on_install=0

";

/// Lays out the repository.
pub struct Repository;

impl Step<Intent> for Repository {
    fn name(&self) -> StepName {
        StepName::Repository
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let target = &node.intent.target;
        let folder = PathBuf::from(PACKAGES);
        let installed = installed(node)?;
        let mut files = Vec::new();
        let mut keys = Vec::new();
        for content in node.intent.bundle.contents() {
            let path = match &content.path {
                BundlePath::Rpm { target: of, file } if *of == target.id => PathBuf::from(file),
                BundlePath::Repodata { target: of, file } if *of == target.id => {
                    Path::new("repodata").join(file)
                }
                BundlePath::Key { target: of, .. } if *of == target.id => {
                    let path = Path::new("keys").join(content.path.file_name());
                    keys.push((folder.join(&path), content.descriptor.clone()));
                    path
                }
                _ => continue,
            };
            let is_read = !installed.contains(&content.descriptor.digest);
            if !is_whole(node.host, &folder.join(&path), &content.descriptor, is_read)? {
                files.push((path, content.clone()));
            }
        }
        let mut changes = Vec::new();
        if !node.host.exists(&folder) {
            changes.push(Change::Claim { path: folder.clone(), mode: 0o755 });
        }
        if !files.is_empty() {
            changes.push(Change::Own(OfInstall::Unpack { folder, files }));
        }
        let gpgcheck = u8::from(target.without_gpgcheck().next().is_none());
        changes.extend(vendor_keys::changes(node, &keys)?);
        let hotfixes = if target.module_hotfixes { "module_hotfixes=1\n" } else { "" };
        let urls = keys.iter().map(|(path, _)| format!("file://{}", path.display()));
        let text = format!(
            "{SETTINGS}[kubeferry]\nname=Packages of the bundle {}\nbaseurl=file://{PACKAGES}\n\
             gpgcheck={gpgcheck}\ngpgkey={}\n{hotfixes}",
            node.intent.lock().name,
            urls.collect::<Vec<_>>().join(" ")
        );
        changes.extend(file(node.host, DNF_CONFIG, &text)?);
        Ok(changes)
    }
}

/// The digests of the packages that are installed. Nobody reads their files again.
fn installed(node: &Node<'_>) -> anyhow::Result<BTreeSet<Digest>> {
    let missing = packages::missing(node.host, node.intent)?;
    let rpms = node.intent.lock().rpms.iter();
    let here = rpms.filter(|rpm| rpm.target == node.intent.target.id);
    Ok(here.filter(|rpm| !missing.contains(&&rpm.package)).map(|rpm| rpm.digest).collect())
}

/// Whether a file is there as the bundle has it. If nobody reads it, only its size is
/// compared, because all packages together are hundreds of megabytes.
fn is_whole(host: &Host, path: &Path, wanted: &Descriptor, is_read: bool) -> anyhow::Result<bool> {
    let real = host.path(path);
    let size = fs::metadata(&real).map(|file| file.len()).ok();
    if size != Some(wanted.size) || !is_read {
        return Ok(size == Some(wanted.size));
    }
    let read = File::open(&real).and_then(|mut file| Digest::of_reader(&mut file));
    let (digest, _) = read.with_context(|| format!("reading {}", real.display()))?;
    Ok(digest == wanted.digest)
}
