//! What kube-proxy's modes need, and how long they stay.

use bundle_format::cluster::ProxyMode;

use super::finding::{About, Refusal};
use crate::spec::root::Spec;

/// The first minor release with `nftables` and without a feature gate for it.
const NFTABLES: u32 = 31;
/// The first minor release in which `ipvs` is deprecated (KEP-5495).
const IPVS_DEPRECATED: u32 = 35;
/// The minor releases from which on `ipvs` needs the feature gate `KubeProxyIPVS`, and
/// is gone (KEP-5495; the gate is there since 1.37, kubernetes#139397).
const IPVS_OFF: u32 = 40;
const IPVS_GONE: u32 = 43;

/// kube-proxy's mode `nftables` needs kernel 5.13 (kubernetes#124152), and nodes of el7
/// and el8 have older kernels.
///
/// Mode `iptables` is fine on el10, although its kernel has no legacy tables
/// (kops#18179): kube-proxy's image has both kinds of iptables, and uses the one that
/// kubelet's own chains are written with. That is iptables-nft, whose rules need
/// `nft_compat` and the `xt_*` modules of kernel-modules-extra (kops#18724).
pub(super) fn refusal(spec: &Spec) -> Option<Refusal> {
    if spec.cluster.cluster().proxy_mode != ProxyMode::Nftables {
        return None;
    }
    let refused = |reason| Some(Refusal { about: About::ProxyMode, reason });
    let minor = spec.kubernetes.version.value.minor();
    if minor < NFTABLES {
        return refused(format!(
            "kube-proxy 1.{minor} does not have proxyMode nftables, or only with a feature gate: \
             write `iptables` or `ipvs`, or use Kubernetes 1.{NFTABLES} or later"
        ));
    }
    let mut families = spec.targets.iter().map(|target| target.family.value.as_str());
    let family = families.find(|family| matches!(*family, "el7" | "el8"))?;
    refused(format!(
        "proxyMode nftables needs kernel 5.13, and {family} has an older one: write `iptables` or \
         `ipvs`"
    ))
}

/// A warning about a mode that still works, but is deprecated.
pub(super) fn warning(spec: &Spec) -> Option<String> {
    let minor = spec.kubernetes.version.value.minor();
    if spec.cluster.cluster().proxy_mode != ProxyMode::Ipvs || minor < IPVS_DEPRECATED {
        return None;
    }
    let until = match minor {
        IPVS_GONE.. => "no longer exists",
        IPVS_OFF.. => "needs the feature gate KubeProxyIPVS",
        _ => "still works",
    };
    Some(format!(
        "proxyMode ipvs is deprecated since Kubernetes 1.{IPVS_DEPRECATED}: it {until} in \
         1.{minor}, is to be off in 1.{IPVS_OFF} and gone in 1.{IPVS_GONE}; use `nftables` \
         instead (`iptables` on el8)"
    ))
}
