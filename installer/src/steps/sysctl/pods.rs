//! How networks call the interfaces of their pods. Those of other containers are a site's.

/// What their names begin with.
pub(super) const PODS: [&str; 6] = ["cali", "cni", "flannel", "tunl", "veth", "vxlan"];

pub(super) fn is_of_pods(interface: &str) -> bool {
    PODS.iter().any(|prefix| interface.starts_with(prefix))
}
