//! What a node is to become, and of what.

use std::net::Ipv4Addr;

use bundle_format::Lock;
use bundle_format::archive::reader::Bundle;
use bundle_format::cluster::{Cluster, NodeName};
use bundle_format::lock::LockedTarget;

use crate::node::certificates::kubeconfig::Brought;
use crate::node::facts::Facts;
use crate::node::join::JoinFile;
use crate::node::kubeadm::Settings;
use crate::role::Role;

/// What a node is to become, and of what.
pub struct Intent {
    /// Its role.
    pub role: Role,
    /// What everything comes from.
    pub bundle: Bundle,
    /// The bundle's target for nodes like this.
    pub target: LockedTarget,
    /// The cluster.
    pub cluster: Cluster,
    /// What the node was when this program started.
    pub facts: Facts,
    /// Its name in the cluster.
    pub name: NodeName,
    /// Its address.
    pub address: Ipv4Addr,
    /// How to join; none for the first master.
    pub join: Option<JoinFile>,
    /// What root's kubectl is to have on a worker; none leaves it with what it has.
    pub kubeconfig: Option<Brought>,
}

impl Intent {
    /// The bundle's lock.
    pub fn lock(&self) -> &Lock {
        self.bundle.lock()
    }

    /// The API server for all nodes, `HOST:PORT`.
    pub fn endpoint(&self) -> String {
        match (&self.join, &self.cluster.endpoint) {
            (Some(join), _) => join.endpoint.clone(),
            (None, Some(endpoint)) => endpoint.clone(),
            (None, None) => format!("{}:6443", self.address),
        }
    }

    /// What kubeadm is told of the node and its cluster.
    pub fn settings(&self) -> Settings<'_> {
        Settings {
            kubernetes: &self.lock().kubernetes,
            sandbox: self.lock().sandbox_image.as_ref(),
            cluster: &self.cluster,
            endpoint: self.endpoint(),
            name: &self.name,
            address: self.address,
        }
    }
}
