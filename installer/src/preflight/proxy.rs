//! Whether the node can do what `proxyMode` asks of kube-proxy.

use bundle_format::cluster::ProxyMode;

use crate::failure::Failure;
use crate::host::Host;
use crate::kubeadm::minor;
use crate::step::Intent;

/// The first kernel with which kube-proxy uses nftables (its `--proxy-mode`;
/// kubernetes#124152): el8 has 4.18, el7 3.10.
const KERNEL: [u32; 2] = [5, 13];
/// The first release in which it does so unasked: before, it is behind a gate that is off
/// (kubernetes.io, "virtual IPs and service proxies").
const RELEASE: u32 = 31;

/// See the module.
pub(super) fn problems(_: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    if intent.cluster.proxy_mode != ProxyMode::Nftables {
        return Ok(found);
    }
    let kernel = &intent.facts.kernel;
    if numbers(kernel).is_some_and(|numbers| numbers < KERNEL) {
        found.push(Failure::new(
            format!(
                "proxyMode is nftables, for which kube-proxy needs Linux 5.13, and this node has \
                 {kernel}"
            ),
            "write `proxyMode: iptables` or `ipvs` in the cluster file, for all nodes",
        ));
    }
    let kubernetes = &intent.lock().kubernetes;
    if minor(kubernetes) < RELEASE {
        found.push(Failure::new(
            format!(
                "proxyMode is nftables, and kube-proxy {kubernetes} does not have it, or only \
                 behind a gate"
            ),
            "write `proxyMode: iptables` or `ipvs`, or bring Kubernetes 1.31 or newer",
        ));
    }
    Ok(found)
}

/// 4 and 18 of `4.18.0-553.el8_10.x86_64`.
fn numbers(kernel: &str) -> Option<[u32; 2]> {
    let mut parts = kernel.split(|letter: char| !letter.is_ascii_digit());
    Some([parts.next()?.parse().ok()?, parts.next()?.parse().ok()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_compared_by_their_numbers() {
        for (kernel, is_old) in [
            ("3.10.0-1160.el7.x86_64", true),
            ("4.18.0-553.el8_10.x86_64", true),
            ("5.4.17-2136.el8uek.x86_64", true),
            ("5.12", true),
            ("5.13-rc1", false),
            ("5.14.0-427.el9.x86_64", false),
            ("6.1.0", false),
            ("10.0", false),
        ] {
            assert_eq!(numbers(kernel).unwrap() < KERNEL, is_old, "{kernel}");
        }
        assert_eq!(numbers("mine"), None);
    }
}
