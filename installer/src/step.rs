//! A piece of node set-up, and what it needs to know.

use std::net::Ipv4Addr;

use bundle_format::Lock;
use bundle_format::archive::reader::Bundle;
use bundle_format::cluster::{Cluster, NodeName};
use bundle_format::lock::LockedTarget;

use crate::change::Change;
use crate::credentials::kubeconfig::Brought;
use crate::facts::Facts;
use crate::host::Host;
use crate::join::JoinFile;
use crate::kubeadm::Settings;
use crate::role::Role;

/// The installer's own folder on a node, for what Kubernetes needs at run time
/// and people look for: kubeadm's configuration, manifests, the join file.
pub const SERVICE_FOLDER: &str = "/opt/kubernetes";

/// A piece of node set-up. It says what is still to be done, and never does it:
/// a plan, a run and the check after it are all this one answer.
pub trait Step {
    /// How it is called in plans, errors and the receipt.
    fn name(&self) -> &'static str;

    /// The changes that are still needed, in order; none when all is as it
    /// should be. Only looks.
    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>>;

    /// Refuses where something does not hold that earlier steps were to bring
    /// about. Asked right before the changes are made, and so in no plan.
    fn before(&self, _node: &Node<'_>) -> anyhow::Result<()> {
        Ok(())
    }

    /// What to do when a change of it fails, where the failed command does not
    /// say that itself.
    fn cure(&self) -> Option<&'static str> {
        None
    }
}

/// A node, and what it is to become.
pub struct Node<'a> {
    /// The node as it is.
    pub host: &'a Host,
    /// The intention.
    pub intent: &'a Intent,
}

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
