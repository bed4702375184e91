//! What earlier runs of the installer began on the node.

use std::path::Path;

use crate::host::Host;
use crate::node::paths;
use crate::receipt::{Deed, Line};

/// Whether the node is in its cluster, or the installer has begun to put it there.
pub(super) fn has_begun(host: &Host) -> bool {
    host.exists(paths::ADMIN_CONF) || host.exists(paths::KUBELET_CONF) || is_ours(host)
}

/// Whether, by the receipt, kubeadm's files here are of our making.
pub(super) fn is_ours(host: &Host) -> bool {
    host.lines().iter().any(|line| {
        matches!(line, Line::Deed { deed: Deed::Claimed { path, .. }, .. }
            if path == Path::new(paths::KUBERNETES))
    })
}
