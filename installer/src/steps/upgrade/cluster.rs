//! The control plane, CoreDNS and kube-proxy in their new version, by kubeadm.
//!
//! kubeadm moves each pod's file away before it puts the new one there. If the power is
//! lost in between, a master has no etcd, or no API server; or that file is empty, because
//! kubeadm does not wait for the disk. So before kubeadm is run again, such a file is written
//! from the copy.

use std::path::Path;

use crate::engine::step::Step;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::etcd::RunningEtcd;
use crate::node::kubeadm::{self, ignored_checks, own_readyz};
use crate::node::paths::{KUBEADM_CONFIG, STATIC_PODS};
use crate::node::systemd::unit_is;
use crate::node::{etcd_release, quorum, static_pod};
use crate::receipt::{Stage, StepName, upgrade};
use crate::steps::file::secret_file;
use crate::steps::upgrade::copy::COPY;
use crate::steps::upgrade::first::is_first;
use crate::steps::{boot_images, time};

/// Runs `kubeadm upgrade apply` on the first master, and `kubeadm upgrade node` on others.
pub struct Cluster;

/// The pods of a control plane that have Kubernetes' version.
const PODS: [&str; 3] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
/// Where kubeadm keeps copies.
const TMP: &str = "/etc/kubernetes/tmp";
/// How long the API server may take to answer, in seconds.
const PATIENCE: u32 = 300;

impl Step<Intent> for Cluster {
    fn name(&self) -> StepName {
        StepName::UpgradeCluster
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let (host, intent) = (node.host, node.intent);
        let text = kubeadm::init_configuration(&intent.settings())?;
        let noted = secret_file(host, KUBEADM_CONFIG, &text)?;
        let tag = format!("v{}", intent.lock().kubernetes);
        let is_new = |pod: &&str| {
            static_pod::image(host, pod).is_ok_and(|image| image.tag() == Some(tag.as_str()))
        };
        let readyz = own_readyz(host)?;
        let ready = || Change::Await { command: readyz.clone(), seconds: PATIENCE };
        if !host.was_interrupted(self.name()) && PODS.iter().all(is_new) {
            let mut changes = noted;
            if is_starting(host, &readyz)? {
                changes.push(ready());
            }
            return Ok(changes);
        }
        let mut changes = lost(host)?;
        changes.push(ready());
        changes.extend(no_way_back(host)?);
        let mut apply = match is_first(node)? {
            true => format!("kubeadm upgrade apply {tag} --yes"),
            false => "kubeadm upgrade node".to_owned(),
        };
        apply += " --certificate-renewal=false";
        // Its Job may land on a node that has not got the new images yet.
        let ignored = [&["CreateJob"], &ignored_checks(&intent.settings())[..]].concat();
        apply += &format!(" --ignore-preflight-errors={}", ignored.join(","));
        changes
            .extend(host.was_interrupted(self.name()).then(|| copies(host)).transpose()?.flatten());
        changes.extend([Change::run(&apply), ready()]);
        changes.extend(noted);
        Ok(changes)
    }

    fn before(&self, node: &Node<'_>) -> anyhow::Result<()> {
        let wrong = match time::wrong_clock(node.host)? {
            Some(wrong) => Some(wrong),
            None => boot_images::lacking(node.host, node.intent)?,
        };
        // An upgrade that goes on after a while was not asked this at its beginning.
        let wrong = match wrong {
            Some(wrong) => Some(wrong),
            None => quorum::at_risk(node.host)?,
        };
        wrong.map_or(Ok(()), |wrong: Failure| Err(wrong.into()))
    }

    fn cure(&self) -> Option<&'static str> {
        Some(
            "`crictl ps --all` and `journalctl -u kubelet` say what does not start; fix that, and \
             run this again; or go back with `installer upgrade --back`",
        )
    }
}

/// The change by which etcd's members no longer go back: another master has begun that, and
/// is now upgraded again.
fn no_way_back(host: &Host) -> anyhow::Result<Option<Change>> {
    if etcd_release::own(host).is_none_or(|own| own.target.is_none()) {
        return Ok(None);
    }
    Ok(Some(Change::run_command(RunningEtcd::here(host)?.etcdctl("downgrade cancel"))))
}

/// Whether a control plane is starting again in the middle of an upgrade, as after a power
/// loss: the steps that follow ask the API server.
fn is_starting(host: &Host, readyz: &Command) -> anyhow::Result<bool> {
    let is_open = upgrade(host.lines()).is_some_and(|open| open.stage == Stage::Begun);
    Ok(is_open && unit_is(host, "active", "kubelet")? && !host.ask(readyz).succeeded())
}

/// The change that removes the copies of etcd's data that an interrupted kubeadm has left:
/// the next run makes its own.
fn copies(host: &Host) -> anyhow::Result<Option<Change>> {
    let names = host.list(TMP)?.into_iter().filter(|name| name.starts_with("kubeadm-backup-etcd-"));
    let paths: Vec<String> = names.map(|name| format!("{TMP}/{name}")).collect();
    let remove = paths.iter().fold(Command::of("rm -rf"), Command::with);
    Ok((!paths.is_empty()).then(|| Change::run_command(remove)))
}

/// The changes that write again what kubeadm has moved away.
fn lost(host: &Host) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    for pod in ["etcd"].iter().chain(&PODS) {
        let path = format!("{STATIC_PODS}/{pod}.yaml");
        let copy = Path::new(COPY).join(path.trim_start_matches('/'));
        if static_pod::image(host, pod).is_ok() {
            continue;
        }
        if let Some(text) = host.bytes(copy)? {
            changes.push(Change::write_secret(path, text).because("kubeadm was cut short"));
        }
    }
    Ok(changes)
}
