//! The bundle's packages as a repository on the node, for its own dnf or yum:
//! with the vendors' keys, and with signatures checked.

use std::path::PathBuf;

use super::{file, packages};
use crate::change::Change;
use crate::exec::Command;
use crate::step::{Node, Step};

/// Where the packages lie.
pub(crate) const FOLDER: &str = "/var/lib/kubeferry/packages";
/// The repository's name for dnf.
pub(crate) const ID: &str = "kubeferry";
const CONFIGURATION: &str = "/etc/yum.repos.d/kubeferry.repo";

/// See the module.
pub struct Repository;

impl Step for Repository {
    fn name(&self) -> &'static str {
        "repository"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let target = &node.intent.target;
        let folder = PathBuf::from(FOLDER);
        let mut files = Vec::new();
        let mut keys = Vec::new();
        for content in node.intent.bundle.contents() {
            let rpm = content.title.strip_prefix(&format!("rpms/{}/", target.id));
            let key = content.title.strip_prefix(&format!("keys/{}/", target.id));
            let path = match (rpm, key) {
                (Some(path), _) => PathBuf::from(path),
                (_, Some(name)) => {
                    keys.push(format!("file://{FOLDER}/keys/{name}"));
                    PathBuf::from("keys").join(name)
                }
                (None, None) => continue,
            };
            let real = node.host.path(folder.join(&path));
            // A file comes to its name in full; what dnf then installs of it, it
            // checks against the repository's checksums and its signature.
            let size = std::fs::metadata(real).map(|file| file.len()).ok();
            if size != Some(content.descriptor.size) {
                files.push((path, content.clone()));
            }
        }
        let mut changes = Vec::new();
        if !node.host.exists(&folder) {
            changes.push(Change::Claim { path: folder.clone(), mode: 0o755 });
        }
        if !files.is_empty() {
            changes.push(Change::Unpack { folder, files });
        }
        let gpgcheck = u8::from(target.repositories.iter().all(|one| !one.keys.is_empty()));
        let fingerprints = target.repositories.iter().flat_map(|one| &one.keys);
        let ids = fingerprints.filter_map(|print| print.get(print.len().saturating_sub(8)..));
        let mut missing = Vec::new();
        for name in ids.map(|id| format!("gpg-pubkey-{}", id.to_lowercase())) {
            if !packages::has(node.host, &name)? {
                missing.push(name);
            }
        }
        if !missing.is_empty() {
            let import = keys.iter().fold(Command::of("rpm --import"), |command, key| {
                command.with(key.trim_start_matches("file://"))
            });
            let erase = missing.iter().map(|name| Command::of("rpm --erase").with(name.as_str()));
            let undo = erase.collect();
            changes.push(Change::Run { command: import, undo, files: Vec::new() });
        }
        let hotfixes = if target.module_hotfixes { "module_hotfixes=1\n" } else { "" };
        let text = format!(
            "[{ID}]\nname=Packages of the bundle {}\nbaseurl=file://{FOLDER}\nenabled=0\n\
             gpgcheck={gpgcheck}\ngpgkey={}\n{hotfixes}",
            node.intent.lock().name,
            keys.join(" ")
        );
        changes.extend(file(node.host, CONFIGURATION, &text)?);
        Ok(changes)
    }
}
