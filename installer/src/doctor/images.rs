//! Images that are gone while their containers run. The node works until its next start.

use std::collections::BTreeSet;

use super::finding::{Finding, again};
use crate::host::Host;
use crate::node::{containers, static_pod};
use crate::receipt::StepName;
use crate::steps::images::whole;

/// The pods of a control plane.
const PODS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// An image is missing that the system's pods on this node need to start again. Another
/// check knows the sandbox's.
pub(super) fn missing(host: &Host) -> anyhow::Result<Option<Finding>> {
    // If containerd does not answer, another check reports that.
    let Some(here) = whole(host) else { return Ok(None) };
    // A file that is gone or damaged is another check's, too.
    let of_pods = PODS.iter().filter_map(|pod| static_pod::image(host, pod).ok());
    let mut needed: BTreeSet<String> = of_pods.map(|image| image.to_string()).collect();
    needed.extend(containers::images(host)?);
    let missing: Vec<&str> =
        needed.iter().filter(|image| !here.contains(*image)).map(String::as_str).collect();
    Ok(missing.first().map(|first| {
        Finding::new(
            format!(
                "these images are not on this node, and its pods could not start again: {}",
                missing.join(", ")
            ),
            again(
                host,
                &[StepName::Images],
                format!("ctr -n k8s.io images import FILE, of a file that has {first}"),
            ),
        )
    }))
}
