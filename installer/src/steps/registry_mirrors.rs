//! The site's mirrors of registries, for images that the bundle does not have.
//! containerd reads their files at each pull (containerd's `docs/hosts.md`).

use bundle_format::cluster::MirrorUrl;

use crate::engine::step::Step;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::containerd::registries::place;
use crate::node::paths::REGISTRIES as FOLDER;
use crate::receipt::StepName;
use crate::steps::file::file;

const HEADER: &str = "# Written by kubeferry.\n";

/// Writes the mirrors' files.
pub struct RegistryMirrors;

impl Step<Intent> for RegistryMirrors {
    fn name(&self) -> StepName {
        StepName::RegistryMirrors
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let wanted = &node.intent.cluster.registry_mirrors;
        let (mut changes, mut places) = (Vec::new(), Vec::new());
        for (registry, mirrors) in wanted {
            let name = place(host, FOLDER, &registry.to_string());
            let path = format!("{FOLDER}/{name}/hosts.toml");
            places.push(name);
            changes.extend(file(host, &path, &text(mirrors))?);
        }
        for name in host.list(FOLDER)? {
            let path = format!("{FOLDER}/{name}/hosts.toml");
            let is_ours = host.read(&path)?.is_some_and(|text| text.starts_with(HEADER));
            if is_ours && !places.contains(&name) {
                changes.push(Change::Remove { path: path.into() });
            }
        }
        Ok(changes)
    }
}

fn text(mirrors: &[MirrorUrl]) -> String {
    let mut text = HEADER.to_owned();
    for mirror in mirrors {
        text += &format!("\n[host.\"{mirror}\"]\ncapabilities = [\"pull\", \"resolve\"]\n");
        if mirror.has_path() {
            // Otherwise containerd would append `/v2` to the path.
            text += "override_path = true\n";
        }
    }
    text
}
