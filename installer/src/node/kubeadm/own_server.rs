//! This master's own API server. The address of all masters may lead to another one.

use super::made_as::MadeAs;
use crate::host::Host;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;

/// The beginning of a command: kubectl as the administrator, who asks this master's own API
/// server. Of a master that does not say what it is, the one in the kubeconfig.
pub(crate) fn own_kubectl(host: &Host) -> anyhow::Result<String> {
    let server =
        MadeAs::read(host)?.map(|made| format!(" --server https://{}:6443", made.own.address));
    Ok(kubectl(ADMIN_CONF) + &server.unwrap_or_default() + " --request-timeout 30s")
}
