//! The images of before, which stay until an upgrade is finished.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::exec::Command;
use crate::host::Host;
use crate::node::paths::CRI_SOCKET;
use crate::steps::upgrade::copy::IMAGES;

/// Removes them, except those that a container uses or that have another name too.
/// Returns how many went.
pub fn release(host: &mut Host) -> anyhow::Result<usize> {
    let old = host.read(IMAGES)?.unwrap_or_default();
    let old: BTreeSet<&str> = old.lines().collect();
    if old.is_empty() {
        return Ok(0);
    }
    let crictl = format!("crictl --runtime-endpoint {CRI_SOCKET}");
    let said = host.answer(&Command::of(&format!("{crictl} images --output json")))?;
    let list: List = serde_json::from_str(&said.stdout).unwrap_or_default();
    let used = host.answer(&Command::of("ctr -n k8s.io containers list"))?.stdout;
    let used: BTreeSet<&str> = used.split_ascii_whitespace().collect();
    let mut gone = 0;
    for image in list.images {
        let is_old = |name: &String| old.contains(name.as_str()) && !used.contains(name.as_str());
        if image.repo_tags.is_empty()
            || !image.repo_tags.iter().all(is_old)
            || used.contains(image.id.as_str())
        {
            continue;
        }
        host.take_back(&Command::of(&format!("{crictl} rmi {}", image.id)))?;
        gone += 1;
    }
    Ok(gone)
}

/// What `crictl images` says.
#[derive(Default, Deserialize)]
struct List {
    images: Vec<Image>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    id: String,
    #[serde(default)]
    repo_tags: Vec<String>,
}
