//! kubelet's certificates, which it keeps itself.

use anyhow::Context;

use super::certificate::Certificate;
use super::kept::{Keeper, Kept};
use super::kubeconfig::Kubeconfig;
use crate::host::Host;
use crate::steps::ready::KUBELET;

/// Where kubelet keeps the certificate by which it speaks, and renews it
/// (kubernetes.io, "certificate rotation for the kubelet").
pub(crate) const CLIENT: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";

/// Its own for those that call it, signed by itself; nobody checks it.
const SERVING: &str = "/var/lib/kubelet/pki/kubelet.crt";

/// kubelet's certificate: from its own folder, or where it has none yet from its
/// kubeconfig.
pub(crate) fn client(host: &Host) -> anyhow::Result<Vec<Certificate>> {
    if let Some(Ok(found)) = host.read(CLIENT)?.map(|text| Certificate::all_of(&text)) {
        return Ok(found);
    }
    Ok(Kubeconfig::whole(host, KUBELET)?.map_or(Vec::new(), |one| one.client))
}

/// kubelet's, by which it speaks to the API server.
pub(crate) fn of_client(host: &Host) -> anyhow::Result<Vec<Kept>> {
    let keep = |certificate| Kept {
        path: CLIENT.to_owned(),
        purpose: "kubelet to API server",
        keeper: Keeper::Kubelet,
        certificate,
    };
    Ok(client(host)?.into_iter().map(keep).collect())
}

/// The one by which it answers those that call it.
pub(super) fn of_serving(host: &Host) -> anyhow::Result<Vec<Kept>> {
    let Some(text) = host.read(SERVING)? else { return Ok(Vec::new()) };
    let found = Certificate::all_of(&text).with_context(|| format!("reading {SERVING}"))?;
    // Its own authority is in it as well.
    let keep = |certificate| Kept {
        path: SERVING.to_owned(),
        purpose: "kubelet to its clients; none checks it",
        keeper: Keeper::Unchecked,
        certificate,
    };
    Ok(found.into_iter().take(1).map(keep).collect())
}
