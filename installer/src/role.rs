//! What a node can be, and the steps that make it that: the table of contents.

use std::fmt;

use clap::ValueEnum;

use crate::failure::Failure;
use crate::receipt::Line;
use crate::step::Step;
use crate::steps;

/// What a node is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// The node with the control plane. It runs pods of the system only.
    Master,
    /// A node that runs pods.
    Worker,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Worker => "worker",
        })
    }
}

/// What is wrong where something needs a master, and this node is none.
pub(crate) fn no_master() -> Failure {
    Failure::new(
        "this node is no master",
        "run this on the node that was made with `installer --role master`",
    )
}

impl Role {
    /// What the last run that a receipt tells of made, or began to make.
    pub fn of_receipt(lines: &[Line]) -> Option<Self> {
        lines.iter().rev().find_map(|line| match line {
            Line::Begun { role, .. } => Self::from_str(role, false).ok(),
            _ => None,
        })
    }

    /// The steps, in order.
    pub fn steps(self) -> Vec<&'static dyn Step> {
        let mut all: Vec<&'static dyn Step> = vec![
            &steps::hosts::Hosts,
            &steps::selinux::SelinuxPolicy,
            &steps::firewall::FirewallRules,
            &steps::swap::Swap,
            &steps::modules::Modules,
            &steps::sysctl::Sysctl,
            &steps::repository::Repository,
            &steps::packages::Packages,
            &steps::time::Time,
            &steps::nfs_server::NfsServer,
            &steps::service_folder::ServiceFolder,
            &steps::service_route::ServiceRoute,
            &steps::network_manager::NetworkManager,
            &steps::containerd::Containerd,
            &steps::registry_mirrors::RegistryMirrors,
            &steps::crictl::Crictl,
            &steps::images::Images,
            &steps::kubelet::Kubelet,
        ];
        match self {
            Self::Master => all.extend([
                &steps::control_plane::ControlPlane as &dyn Step,
                &steps::kubeconfig::Kubeconfig,
                &steps::manifests::Manifests,
                &steps::cni_interface::CniInterface,
                &steps::ingress_nodes::IngressNodes,
                &steps::kubelet_settings::KubeletSettings,
                &steps::ready::Ready,
                &steps::join_file::WriteJoinFile,
            ]),
            Self::Worker => {
                all.extend([
                    &steps::kubeconfig::Kubeconfig as &dyn Step,
                    &steps::join::Join,
                    &steps::ingress_nodes::IngressNodes,
                    &steps::kubelet_settings::KubeletSettings,
                    &steps::ready::Ready,
                ]);
            }
        }
        all
    }
}
