//! The names of steps.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A step's name, in the receipt, plans, errors and `--only`. A name is never
/// removed, because a node's receipt may have it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// The node's name, and `/etc/hosts`.
    Hosts,
    /// SELinux's mode.
    Selinux,
    /// What firewalld lets through.
    Firewall,
    /// Swap is off.
    Swap,
    /// Kernel modules.
    Modules,
    /// Kernel settings.
    Sysctl,
    /// The repository of the bundle's packages.
    Repository,
    /// The bundle's packages.
    Packages,
    /// The clock.
    Time,
    /// The NFS server.
    NfsServer,
    /// The folder `/opt/kubernetes`.
    ServiceFolder,
    /// The route to Services.
    ServiceRoute,
    /// NetworkManager and the pods' interfaces.
    NetworkManager,
    /// containerd's configuration.
    Containerd,
    /// Mirrors of registries.
    RegistryMirrors,
    /// crictl's configuration.
    Crictl,
    /// The images in containerd.
    Images,
    /// kubelet's unit and arguments.
    Kubelet,
    /// The masters' one address.
    VirtualAddress,
    /// `kubeadm init`.
    ControlPlane,
    /// root's kubeconfig.
    Kubeconfig,
    /// The bundle's manifests.
    Manifests,
    /// Calico's interface.
    CniInterface,
    /// The machines that run the ingress.
    IngressNodes,
    /// `kubeadm join`.
    Join,
    /// kubelet's settings from the cluster file.
    KubeletSettings,
    /// The node becomes Ready.
    Ready,
    /// The join file for workers.
    JoinFile,
    /// Backups that the master makes by itself.
    BackupTimer,
    /// `certs renew`. All its steps share this name, because it is done only when
    /// all of them are.
    #[value(skip)]
    Certs,
    /// `remove`: another node leaves the cluster.
    #[value(skip)]
    Remove,
    /// Of an upgrade: what the node was is kept, for the way back.
    #[value(skip)]
    UpgradeCopy,
    /// Of an upgrade: the new kubeadm.
    #[value(skip)]
    UpgradeKubeadm,
    /// `kubeadm upgrade apply`.
    #[value(skip)]
    UpgradeCluster,
    /// `kubeadm upgrade node`.
    #[value(skip)]
    UpgradeNode,
    /// The node's pods move to others.
    #[value(skip)]
    Drain,
    /// containerd and kubelet start in their new versions.
    #[value(skip)]
    Restart,
    /// Pods may come to the node again.
    #[value(skip)]
    Uncordon,
    /// `upgrade --back`. All its steps share this name, because it is done only when
    /// all of them are.
    #[value(skip)]
    UpgradeBack,
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn options_and_receipts_have_one_name() {
        for step in StepName::value_variants() {
            assert_eq!(StepName::from_str(&step.to_string(), false), Ok(*step));
        }
        assert_eq!(StepName::NfsServer.to_string(), "nfs-server");
        assert_eq!(serde_json::to_string(&StepName::Certs).unwrap(), "\"certs\"");
    }
}
