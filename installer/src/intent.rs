//! What a node is to become, and from which bundle.

use std::net::IpAddr;

use bundle_format::archive::reader::Bundle;
use bundle_format::cluster::{Cluster, NodeName};
use bundle_format::lock::LockedTarget;
use bundle_format::{KubernetesVersion, Lock};

use crate::backup::Backup;
use crate::node::certificates::kubeconfig::Brought;
use crate::node::facts::Facts;
use crate::node::join::{JoinFile, Master};
use crate::node::kubeadm::Settings;
use crate::receipt::Line;
use crate::role::Role;
use crate::trust;

/// What a node is to become, and from which bundle.
pub struct Intent {
    /// Its role.
    pub role: Role,
    /// The bundle.
    pub bundle: Bundle,
    /// The bundle's target that fits the node.
    pub target: LockedTarget,
    /// The cluster.
    pub cluster: Cluster,
    /// The node's facts when this program started.
    pub facts: Facts,
    /// Its name in the cluster.
    pub name: NodeName,
    /// Its address.
    pub address: IpAddr,
    /// The join file; none for the first master.
    pub join: Option<JoinFile>,
    /// The backup from which the cluster comes back; none for a new cluster.
    pub restore: Option<Backup>,
    /// The upgrade that this is; none for an install.
    pub upgrade: Option<Upgrading>,
    /// The kubeconfig for root's kubectl on a worker; none leaves it unchanged.
    pub kubeconfig: Option<Brought>,
}

/// An upgrade of a node that is in its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrading {
    /// The version before.
    pub from: KubernetesVersion,
    /// Whether the node's pods move to others first.
    pub drains: bool,
}

impl Intent {
    /// The bundle's lock.
    pub fn lock(&self) -> &Lock {
        self.bundle.lock()
    }

    /// The receipt's line that the node's bundle is this one.
    pub fn line(&self) -> Line {
        let (role, bundle) = (self.role.to_string(), self.bundle.index_digest());
        let at = self.bundle.address().map(str::to_owned);
        Line::Begun { role, bundle, at, signed: trust::signing(&self.bundle) }
    }

    /// The API server for all nodes, `HOST:PORT`.
    pub fn endpoint(&self) -> String {
        match &self.join {
            Some(join) => join.endpoint.clone(),
            None => {
                self.cluster.told_endpoint().unwrap_or_else(|| format!("{}:6443", self.address))
            }
        }
    }

    /// Whether the cluster may have several masters: the address of its API server is not
    /// one machine's own.
    pub fn may_have_more_masters(&self) -> bool {
        let own = Master { name: self.name.clone(), address: self.address };
        !own.owns(&self.endpoint())
    }

    /// What kubeadm is told.
    pub fn settings(&self) -> Settings<'_> {
        Settings {
            kubernetes: &self.lock().kubernetes,
            sandbox: self.lock().sandbox_image.as_ref(),
            cluster: &self.cluster,
            endpoint: self.endpoint(),
            name: &self.name,
            address: self.address,
            cgroup_v1: self.facts.cgroup_v1,
        }
    }
}
