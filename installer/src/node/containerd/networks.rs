//! The networks of which containerd takes the first, and gives pods addresses by it
//! (containerd's `docs/cri/config.md`).

use crate::host::Host;
use crate::node::paths::NETWORKS;

/// The names of their files.
pub(crate) fn networks(host: &Host) -> anyhow::Result<Vec<String>> {
    let mut names = host.list(NETWORKS)?;
    names.retain(|name| [".conf", ".conflist", ".json"].iter().any(|end| name.ends_with(end)));
    Ok(names)
}
