//! The network of pods.

use std::fmt;
use std::net::IpAddr;

use saphyr::MarkedYaml;
use schemars::JsonSchema;
use serde::Deserialize;

use super::splice::Splice;
use super::{Workload, set, target};

/// A network: `10.244.0.0/16`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Network(#[schemars(with = "String")] String);

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fail = || format!("`{text}` is no network such as 10.244.0.0/16");
        let (address, length) = text.split_once('/').ok_or_else(fail)?;
        let address: IpAddr = address.parse().map_err(|_| fail())?;
        let length: u32 = length.parse().map_err(|_| fail())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        if length > longest {
            return Err(fail());
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `hostNetwork: true`, and the DNS policy without which such pods would not
/// know the cluster's names.
pub(super) fn host_network(
    documents: &[MarkedYaml<'_>],
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
    let set = |key: &str, value| set::at(text, object, &path, &format!("{pod}.{key}"), value);
    Ok(vec![set("hostNetwork", "true")?, set("dnsPolicy", "ClusterFirstWithHostNet")?])
}
