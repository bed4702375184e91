//! A machine of the cluster: its name, and its settings in Kubernetes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::export::Nfs;
use super::labels::{LabelKey, LabelValue, Taint};
use super::node_name::NodeName;

/// A machine of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Its name in the cluster. It is its host name too.
    pub name: NodeName,
    /// Its address.
    pub address: IpAddr,
    /// Whether it is a master or a worker. `controlPlane` needs to know all masters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Duty>,
    /// Labels that it gets when it joins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "label-key"}))]
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// Taints that it gets when it joins. If left out, kubeadm's own taints for
    /// its role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taints: Option<Vec<Taint>>,
    /// What it exports to the other machines by NFS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nfs: Option<Nfs>,
}

impl Member {
    /// A machine without settings of its own.
    pub fn new(name: NodeName, address: IpAddr) -> Self {
        Self { name, address, role: None, labels: BTreeMap::new(), taints: None, nfs: None }
    }
}

/// What a machine does in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Duty {
    /// It runs the control plane.
    Master,
    /// It runs pods only.
    Worker,
}
