//! The pods' networks. containerd takes the first one, and gives pods their addresses
//! from it (containerd's `docs/cri/config.md`).

use crate::host::Host;
use crate::node::paths::NETWORKS;

/// The names of the networks' files.
pub(crate) fn networks(host: &Host) -> anyhow::Result<Vec<String>> {
    let mut names = host.list(NETWORKS)?;
    names.retain(|name| [".conf", ".conflist", ".json"].iter().any(|end| name.ends_with(end)));
    Ok(names)
}
