//! Changes that firewalld makes only by a reload, which would take away the rules of
//! all others: they wait for the node's next start.

use crate::failure::Failure;
use crate::host::Host;
use crate::node::paths::KUBELET_CONF;

/// Whether Kubernetes may have rules of its own in the kernel.
pub(super) fn is_live(host: &Host) -> bool {
    host.exists(KUBELET_CONF)
}

pub(super) fn at_next_start(what: &str) -> Failure {
    Failure::new(
        what,
        "restart this node when that suits, and run this again; or run it with `--skip firewall`",
    )
}
