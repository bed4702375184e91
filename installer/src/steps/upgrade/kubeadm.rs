//! The new kubeadm, before all other packages: it upgrades the cluster first.

use std::collections::BTreeSet;

use bundle_format::Nevra;
use bundle_format::lock::Why;

use crate::engine::step::Step;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::receipt::StepName;
use crate::steps::packages::{self, only};

/// Installs kubeadm, and what only it needs.
pub struct Kubeadm;

/// Programs that must stay until the cluster is upgraded.
const LATER: [&str; 3] = ["kubelet", "containerd.io", "containerd"];

impl Step<Intent> for Kubeadm {
    fn name(&self) -> StepName {
        StepName::UpgradeKubeadm
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let first = first(node)?;
        only(node, &|package| first.contains(package))
    }

    fn cure(&self) -> Option<&'static str> {
        Some("fix what dnf or yum reports, and run this again")
    }
}

/// All other packages.
pub struct Others;

impl Step<Intent> for Others {
    fn name(&self) -> StepName {
        StepName::Packages
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        // In a plan, kubeadm is not there yet.
        let first = first(node)?;
        only(node, &|package| !first.contains(package))
    }

    fn cure(&self) -> Option<&'static str> {
        Some("fix what dnf or yum reports, and run this again")
    }
}

/// kubeadm, and what only it needs, as far as they are still to be installed.
fn first(node: &Node<'_>) -> anyhow::Result<BTreeSet<Nevra>> {
    let missing = packages::missing(node.host, node.intent)?;
    let mut wanted: BTreeSet<&Nevra> =
        missing.iter().copied().filter(|one| one.name == "kubeadm").collect();
    // What it requires, and what that requires.
    loop {
        let is_needed = |package: &Nevra| {
            let mut locked = node.intent.lock().rpms.iter();
            locked.any(|rpm| {
                rpm.target == node.intent.target.id
                    && rpm.package == *package
                    && rpm.why.iter().any(|why| {
                        matches!(why, Why::Requires { package, .. } if wanted.contains(package))
                    })
            })
        };
        let more: Vec<&Nevra> = missing
            .iter()
            .copied()
            .filter(|one| !LATER.contains(&one.name.as_str()) && !wanted.contains(one))
            .filter(|one| is_needed(one))
            .collect();
        if more.is_empty() {
            break;
        }
        wanted.extend(more);
    }
    Ok(wanted.into_iter().cloned().collect())
}
