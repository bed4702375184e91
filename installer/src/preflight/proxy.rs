//! Whether the node can do what `proxyMode` asks of kube-proxy.

use bundle_format::cluster::ProxyMode;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;

/// The first kernel with which kube-proxy uses nftables (its `--proxy-mode`;
/// kubernetes#124152): el8 has 4.18, el7 3.10.
const KERNEL: [u32; 2] = [5, 13];
/// The first release in which it does so unasked: before, it is behind a gate that is off
/// (kubernetes.io, "virtual IPs and service proxies").
const RELEASE: u32 = 31;

/// Refuses `proxyMode: nftables` where kernel or Kubernetes are too old for it.
pub(super) fn problems(_: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    if intent.cluster.proxy_mode != ProxyMode::Nftables {
        return Ok(found);
    }
    let kernel = &intent.facts.kernel;
    if intent.facts.kernel_version().is_some_and(|own| own < KERNEL) {
        found.push(Failure::new(
            format!(
                "kube-proxy needs Linux 5.13 for proxyMode nftables, and this node has {kernel}"
            ),
            "write `proxyMode: iptables` or `ipvs` in the cluster file, for all nodes",
        ));
    }
    let kubernetes = &intent.lock().kubernetes;
    if kubernetes.minor() < RELEASE {
        found.push(Failure::new(
            format!(
                "kube-proxy needs Kubernetes 1.31 for proxyMode nftables, and the bundle has \
                 {kubernetes}"
            ),
            "write `proxyMode: iptables` or `ipvs`, or bring Kubernetes 1.31 or newer",
        ));
    }
    Ok(found)
}
