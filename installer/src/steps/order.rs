//! The steps of each role, in order: the table of contents of an installation. The
//! renewal of certificates has its own list, [`crate::credentials::renewal::STEPS`];
//! upgrades, and the way back from them, will be further lists.

use crate::engine::step::Step;
use crate::install::Steps;
use crate::intent::Intent;
use crate::role::Role;
use crate::steps;

/// The steps of a role, in order.
pub fn steps(role: Role) -> Steps {
    let mut all: Steps = vec![
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
    match role {
        Role::Master => all.extend([
            &steps::virtual_address::VirtualAddress as &dyn Step<Intent>,
            &steps::control_plane::ControlPlane,
            &steps::kubeconfig::Kubeconfig,
            &steps::manifests::Manifests,
            &steps::cni_interface::CniInterface,
            &steps::ingress_nodes::IngressNodes,
            &steps::kubelet_settings::KubeletSettings,
            &steps::ready::Ready,
            &steps::join_file::WriteJoinFile,
            &steps::backup_timer::BackupTimer,
        ]),
        Role::Worker => {
            all.extend([
                &steps::kubeconfig::Kubeconfig as &dyn Step<Intent>,
                &steps::join::Join,
                &steps::ingress_nodes::IngressNodes,
                &steps::kubelet_settings::KubeletSettings,
                &steps::ready::Ready,
            ]);
        }
    }
    all
}
