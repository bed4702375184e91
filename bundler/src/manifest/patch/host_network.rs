//! The node's network for pods.

use super::splice::Splice;
use super::{set, target};
use crate::libyaml::node::Node;
use crate::spec::patch::Workload;

/// `hostNetwork: true`, and the DNS policy without which such pods would not
/// know the cluster's names.
pub(super) fn splices(
    documents: &[Node],
    text: &str,
    workload: &Workload,
) -> Result<Vec<Splice>, String> {
    let (path, object) =
        target::object(documents, &workload.kind, workload.namespace.as_deref(), &workload.name)?;
    let pod = match workload.kind.as_str() {
        "Pod" => "spec",
        "CronJob" => "spec.jobTemplate.spec.template.spec",
        _ => "spec.template.spec",
    };
    let set =
        |key: &str, value| set::at(text, object, &path, &format!("{pod}.{key}").parse()?, value);
    Ok(vec![set("hostNetwork", "true")?, set("dnsPolicy", "ClusterFirstWithHostNet")?])
}
