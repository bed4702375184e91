//! The names of steps.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A step, as the receipt, plans, errors and `--only` have it. A name is never taken
/// away: a node's receipt may have it.
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
    /// SELinux as the cluster file wants it.
    Selinux,
    /// What firewalld lets through.
    Firewall,
    /// Swap is off.
    Swap,
    /// Kernel modules.
    Modules,
    /// Kernel settings.
    Sysctl,
    /// The bundle's packages as a repository.
    Repository,
    /// These packages, installed.
    Packages,
    /// The clock.
    Time,
    /// The NFS server of the cluster file.
    NfsServer,
    /// `/opt/kubernetes`.
    ServiceFolder,
    /// The route to Services.
    ServiceRoute,
    /// NetworkManager leaves pods' interfaces alone.
    NetworkManager,
    /// containerd's configuration.
    Containerd,
    /// Registries that stand in for others.
    RegistryMirrors,
    /// crictl's configuration.
    Crictl,
    /// Images, in containerd.
    Images,
    /// kubelet's unit and arguments.
    Kubelet,
    /// `kubeadm init`.
    ControlPlane,
    /// root's kubeconfig.
    Kubeconfig,
    /// The bundle's manifests, applied.
    Manifests,
    /// Calico's interface.
    CniInterface,
    /// Where the ingress runs.
    IngressNodes,
    /// `kubeadm join`.
    Join,
    /// kubelet's settings of the cluster file.
    KubeletSettings,
    /// The node is Ready.
    Ready,
    /// The join file for workers.
    JoinFile,
    /// `certs renew`, whose steps have this one name: it is done when all of them are.
    #[value(skip)]
    Certs,
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
