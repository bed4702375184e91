//! This master's own API server, and whether there are others.

use super::kept::Kept;
use crate::exec::Command;
use crate::host::Host;
use crate::node::join::Master;
use crate::node::kubectl::kubectl;
use crate::node::paths::{ADMIN_CONF, KUBEADM_CONFIG, KUBEADM_JOINED};

/// The beginning of a command: kubectl as the administrator, who asks this master's own API
/// server. The address of all masters may lead to another one. Of a master that does not say
/// what it is, the one in the kubeconfig.
pub(crate) fn own_kubectl(host: &Host) -> anyhow::Result<String> {
    let server = Kept::find(host, KUBEADM_CONFIG)?
        .map(|own| format!(" --server https://{}:6443", own.address));
    Ok(kubectl(ADMIN_CONF) + &server.unwrap_or_default() + " --request-timeout 30s")
}

/// The question whether this master's own API server is ready.
pub(crate) fn own_readyz(host: &Host) -> anyhow::Result<Command> {
    Ok(Command::of(&format!("{} get --raw /readyz", own_kubectl(host)?)))
}

/// Whether a master's cluster may have others: this one joined it, or the address of the
/// API server is not this machine's own. If nothing says so, it may.
pub(crate) fn may_have_other_masters(host: &Host) -> bool {
    let outlives = |own: Kept| {
        let Kept { name, address, endpoint, .. } = own;
        endpoint.is_none_or(|endpoint| !Master { name, address }.owns(&endpoint))
    };
    host.exists(KUBEADM_JOINED)
        || Kept::find(host, KUBEADM_CONFIG).ok().flatten().is_none_or(outlives)
}
