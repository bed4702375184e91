//! One of the cluster's machines: its name, and what it is to Kubernetes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::export::Nfs;
use super::labels::{LabelKey, LabelValue, Taint};
use super::node_name::NodeName;

/// One of the cluster's machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Its name in the cluster, and its host name.
    pub name: NodeName,
    /// Its address.
    pub address: IpAddr,
    /// Labels that it has when it enters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "label-key"}))]
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// Taints that it has when it enters; kubeadm's own for its role if left
    /// out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taints: Option<Vec<Taint>>,
    /// What it serves to the others by NFS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nfs: Option<Nfs>,
}

impl Member {
    /// A machine like any other.
    pub fn new(name: NodeName, address: IpAddr) -> Self {
        Self { name, address, labels: BTreeMap::new(), taints: None, nfs: None }
    }
}
