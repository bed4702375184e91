//! kubelet's certificates. kubelet keeps them itself.

use anyhow::Context;

use crate::host::Host;
use crate::node::certificates::certificate::Certificate;
use crate::node::certificates::kept::{Keeper, Kept};
use crate::node::certificates::kubeconfig::Kubeconfig;
use crate::node::paths::{KUBELET_CLIENT, KUBELET_CONF};

/// kubelet's serving certificate, signed by itself. Nobody checks it.
const SERVING: &str = "/var/lib/kubelet/pki/kubelet.crt";

/// kubelet's client certificate: from its own folder, or from its kubeconfig if it
/// has none there yet.
pub(crate) fn client(host: &Host) -> anyhow::Result<Vec<Certificate>> {
    if let Some(Ok(found)) = host.read(KUBELET_CLIENT)?.map(|text| Certificate::all_of(&text)) {
        return Ok(found);
    }
    Ok(Kubeconfig::whole(host, KUBELET_CONF)?.map_or(Vec::new(), |one| one.client))
}

/// kubelet's client certificate, with which it speaks to the API server.
pub(crate) fn of_client(host: &Host) -> anyhow::Result<Vec<Kept>> {
    let keep = |certificate| Kept {
        path: KUBELET_CLIENT.to_owned(),
        purpose: "kubelet to API server",
        keeper: Keeper::Kubelet,
        certificate,
    };
    Ok(client(host)?.into_iter().map(keep).collect())
}

/// kubelet's serving certificate.
pub(crate) fn of_serving(host: &Host) -> anyhow::Result<Vec<Kept>> {
    let Some(text) = host.read(SERVING)? else { return Ok(Vec::new()) };
    let found = Certificate::all_of(&text).with_context(|| format!("reading {SERVING}"))?;
    // The file contains its authority as well.
    let keep = |certificate| Kept {
        path: SERVING.to_owned(),
        purpose: "kubelet to its clients; nobody checks it",
        keeper: Keeper::Unchecked,
        certificate,
    };
    Ok(found.into_iter().take(1).map(keep).collect())
}
