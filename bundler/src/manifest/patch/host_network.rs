//! The patch that gives pods the node's network.

use super::splice::Splice;
use super::{set, target};
use crate::libyaml::node::Node;
use crate::spec::patch::Workload;

/// Adds `hostNetwork: true`, and the DNS policy that such pods need to find the
/// cluster's names.
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
