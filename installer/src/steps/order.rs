//! The steps of each role, in order: the table of contents of an installation. The
//! renewal of certificates has its own list, [`crate::credentials::renewal::STEPS`], and so
//! has the way back from an upgrade, [`crate::upgrade::back::STEPS`].

use crate::engine::step::Step;
use crate::install::Steps;
use crate::intent::Intent;
use crate::receipt::StepName;
use crate::role::Role;
use crate::steps::{self, upgrade};

/// The steps of a node, in order. A further master gets its part in the masters' one
/// address when its API server runs: until then others hold it, and if this one could not
/// hear them it would take it.
pub fn of(intent: &Intent) -> Steps {
    let mut all = steps(intent.role);
    let place = |name| all.iter().position(|step| step.name() == name);
    let places = (place(StepName::VirtualAddress), place(StepName::ControlPlane));
    if let ((Some(from), Some(to)), Some(_)) = (places, &intent.join) {
        let step = all.remove(from);
        all.insert(to, step);
    }
    all
}

/// The steps of a role, in the order in which the first node of that role takes them.
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

/// Whether a node needs no other node for a step, nor anything of a join file. So it can take the
/// step before its cluster has a master.
pub fn is_alone(step: StepName) -> bool {
    matches!(
        step,
        StepName::Selinux
            | StepName::Swap
            | StepName::Modules
            | StepName::Sysctl
            | StepName::Repository
            | StepName::Packages
            | StepName::ServiceFolder
            | StepName::NetworkManager
            | StepName::Containerd
            | StepName::RegistryMirrors
            | StepName::Crictl
            | StepName::Images
    )
}

/// The steps of an upgrade, in order: those of an install, but kubeadm comes first and
/// upgrades the cluster or the node; and kubelet starts again after all its files are
/// written.
///
/// A hop has no manifests: they come with the last release.
pub fn upgrade_of(intent: &Intent) -> Steps {
    let mut all = upgrade(intent.role);
    if intent.bundle.is_hop() {
        let of_manifests = [StepName::Manifests, StepName::CniInterface];
        all.retain(|step| !of_manifests.contains(&step.name()));
    }
    all
}

/// The same for a bundle's last release.
pub fn upgrade(role: Role) -> Steps {
    let mut all: Steps = vec![&upgrade::copy::KeepCopy];
    let of_cluster: &dyn Step<Intent> = match role {
        Role::Master => &upgrade::cluster::Cluster,
        Role::Worker => &upgrade::node::OfNode,
    };
    for step in steps(role) {
        match step.name() {
            StepName::Packages => all.extend([
                // containerd runs, in its old version.
                &steps::images::Images as &dyn Step<Intent>,
                &upgrade::kubeadm::Kubeadm,
                of_cluster,
                &upgrade::drain::Drain,
                &upgrade::kubeadm::Others,
            ]),
            StepName::Kubelet => all.extend([
                step,
                &steps::kubelet_settings::KubeletSettings,
                &upgrade::restart::Restart,
            ]),
            StepName::Ready => all.extend([step, &upgrade::uncordon::Uncordon]),
            StepName::Images
            | StepName::KubeletSettings
            | StepName::ControlPlane
            | StepName::Join => {}
            _ => all.push(step),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_no_other_node_comes_before_a_node_joins() {
        for (role, joins) in
            [(Role::Master, StepName::ControlPlane), (Role::Worker, StepName::Join)]
        {
            let names: Vec<StepName> = steps(role).iter().map(|one| one.name()).collect();
            let alone = names.iter().rposition(|name| is_alone(*name)).unwrap();
            let joins = names.iter().position(|name| *name == joins).unwrap();
            assert!(alone < joins, "{names:?}");
            assert_eq!(names.iter().filter(|name| is_alone(**name)).count(), 12);
        }
    }

    #[test]
    fn an_upgrade_goes_in_kubeadms_order() {
        let middle = "repository images upgrade-kubeadm KUBEADM drain packages";
        let end = "kubelet kubelet-settings restart";
        for (role, kubeadm) in [(Role::Master, "upgrade-cluster"), (Role::Worker, "upgrade-node")] {
            let names: Vec<String> =
                upgrade(role).iter().map(|one| one.name().to_string()).collect();
            let text = names.join(" ");
            assert!(text.starts_with("upgrade-copy hosts "), "{text}");
            assert!(text.contains(&middle.replace("KUBEADM", kubeadm)), "{text}");
            assert!(text.contains(end) && text.contains("ready uncordon"), "{text}");
            assert_eq!(names.len(), steps(role).len() + 5, "{text}");
        }
    }
}
