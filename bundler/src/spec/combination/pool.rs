//! A network plugin's pool and the cluster's pod network.

use bundle_format::cluster::Cluster;

use crate::spec::patch::Change;
use crate::spec::root::Spec;

/// A warning for each pool that differs from the installer's default `podCidr`, if
/// the spec does not set `podCidr`: then each site would have to.
pub(super) fn warnings(spec: &Spec) -> Vec<String> {
    if spec.cluster.has("podCidr") {
        return Vec::new();
    }
    let default = Cluster::default().pod_cidr.to_string();
    let patches = spec.manifests.iter().flat_map(|manifest| &manifest.value.patches);
    let pools = patches.filter_map(|patch| match &patch.change {
        Change::PoolCidr(pool) => Some(pool.to_string()),
        _ => None,
    });
    let others = pools.filter(|pool| *pool != default);
    others
        .map(|pool| {
            format!(
                "poolCidr is {pool}, but the installer's default podCidr is {default}: add \
                 `cluster: {{podCidr: {pool}}}` to the spec"
            )
        })
        .collect()
}
