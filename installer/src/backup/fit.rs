//! Whether a backup's cluster can come back here: as another version, under another name
//! or at another address, its nodes would not find it.

use bundle_format::KubernetesVersion;
use bundle_format::cluster::{Cluster, NodeName};

use super::Backup;
use crate::failure::Mistakes;

/// What the node is to become, without the backup.
pub(crate) struct Found<'a> {
    /// The bundle's Kubernetes.
    pub(crate) kubernetes: &'a KubernetesVersion,
    /// The node's name.
    pub(crate) name: &'a NodeName,
    /// The API server for all nodes.
    pub(crate) endpoint: &'a str,
    /// The cluster.
    pub(crate) cluster: &'a Cluster,
}

/// An error that names all differences; none if the backup fits.
pub(crate) fn refuse(backup: &Backup, found: &Found<'_>) -> anyhow::Result<()> {
    let of = backup.contents();
    let network = |what, own: &dyn ToString, here: &dyn ToString| {
        let (own, here) = (own.to_string(), here.to_string());
        (own != here)
            .then(|| format!("the backup's {what} is {own}, but the cluster file has {here}"))
    };
    let problems = [
        (of.kubernetes != *found.kubernetes).then(|| {
            format!(
                "the backup is of Kubernetes {}, but the bundle has {}: give the bundle of that \
                 version with --bundle",
                of.kubernetes, found.kubernetes
            )
        }),
        (of.master != *found.name).then(|| {
            format!(
                "the backup is of the master {}, but this node would be {}: give it that name with \
                 --node-name",
                of.master, found.name
            )
        }),
        (of.endpoint != found.endpoint).then(|| {
            format!(
                "the cluster's nodes look for the API server at {}, but here it would be at {}: \
                 give this machine that address",
                of.endpoint, found.endpoint
            )
        }),
        network("podCidr", &of.cluster.pod_cidr, &found.cluster.pod_cidr),
        network("serviceCidr", &of.cluster.service_cidr, &found.cluster.service_cidr),
    ];
    let problems: Vec<String> = problems.into_iter().flatten().collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Mistakes::new(problems, "fix that, and run this again").into())
}
