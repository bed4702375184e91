//! What a master was made as, by the documents that it keeps.

use anyhow::Context;
use serde_json::Value;

use crate::host::Host;
use crate::node::join::Master;
use crate::node::paths::{KUBEADM_CONFIG, KUBEADM_JOINED};

/// What a master was made as.
pub(crate) struct MadeAs {
    /// Its own name and address.
    pub(crate) own: Master,
    /// The API server for all nodes, `HOST:PORT`.
    endpoint: String,
}

impl MadeAs {
    /// Reads it; none if the file is gone.
    pub(crate) fn read(host: &Host) -> anyhow::Result<Option<Self>> {
        let Some(text) = host.read(KUBEADM_CONFIG)? else { return Ok(None) };
        let parse = || {
            let all: Vec<Value> = serde_saphyr::from_multiple(&text).ok()?;
            let value =
                |pointer: &str| all.iter().find_map(|document| document.pointer(pointer)?.as_str());
            let name = value("/nodeRegistration/name")?.to_owned().try_into().ok()?;
            let address = value("/localAPIEndpoint/advertiseAddress")?.parse().ok()?;
            let endpoint = value("/controlPlaneEndpoint")?.to_owned();
            Some(Self { own: Master { name, address }, endpoint })
        };
        let read =
            parse().with_context(|| format!("{KUBEADM_CONFIG} does not say what this is"))?;
        Ok(Some(read))
    }
}

/// Whether a master's cluster may have others: this one joined it, or the address of the
/// API server is not this machine's own. If nothing says so, it may.
pub(crate) fn may_have_other_masters(host: &Host) -> bool {
    let outlives = |made: MadeAs| !made.own.owns(&made.endpoint);
    host.exists(KUBEADM_JOINED) || MadeAs::read(host).ok().flatten().is_none_or(outlives)
}
