//! What the node was before its upgrade is kept, for the way back: its files, etcd's data,
//! and the objects that kubeadm replaces.

use anyhow::{Context, bail};
use bundle_format::lock::{LockedImage, Why};
use bundle_format::{ImageReference, layout};
use serde_json::{Map, Value, json};

use crate::engine::step::Step;
use crate::exec::Command;
use crate::hop;
use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::kubectl::kubectl;
use crate::node::paths::{
    ADMIN_CONF, DNF_CONFIG, JOINED, KUBEADM_CONFIG, KUBEADM_JOINED, KUBELET_CONFIG, KUBERNETES,
    PACKAGES, SERVICE_FOLDER, UPGRADE,
};
use crate::receipt::StepName;
use crate::role::Role;
use crate::steps::images;

/// Keeps what the node was.
pub struct KeepCopy;

/// The files, below a copy of their whole path.
pub(crate) const COPY: &str = "/var/lib/kubeferry/upgrade/copy";
/// What an ended upgrade has kept, while it is removed.
pub(crate) const GONE: &str = "/var/lib/kubeferry/upgrade.gone";
/// The snapshot of etcd.
pub(crate) const SNAPSHOT: &str = "/var/lib/kubeferry/upgrade/etcd.db";
/// The objects.
pub(crate) const OBJECTS: &str = "/var/lib/kubeferry/upgrade/objects.json";

/// The names of the images that the new bundle has in another version, one a line.
pub(crate) const IMAGES: &str = "/var/lib/kubeferry/upgrade/old-images";

/// The objects that `kubeadm upgrade apply` replaces, in `kube-system`.
const REPLACED: &str = "configmap/kubeadm-config configmap/kubelet-config configmap/kube-proxy \
                        configmap/coredns daemonset/kube-proxy deployment/coredns";

impl Step<Intent> for KeepCopy {
    fn name(&self) -> StepName {
        StepName::UpgradeCopy
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        // In a plan, an ended upgrade's copy is still there.
        let is_ended = hop::ended(host, &node.intent.bundle)?.is_some();
        let has = |path: &str| !is_ended && host.exists(path);
        let mut changes = Vec::new();
        if host.exists(GONE) {
            changes.push(Change::run(&format!("rm -rf {GONE}")));
        }
        if !has(UPGRADE) {
            changes.push(Change::Claim { path: UPGRADE.into(), mode: 0o700 });
        }
        if !has(IMAGES) {
            changes.push(Change::write_secret(IMAGES, old_images(node)));
        }
        if node.intent.role == Role::Master && !has(OBJECTS) {
            changes.push(Change::write_secret(OBJECTS, objects(host)?));
        }
        if node.intent.role == Role::Master && !has(SNAPSHOT) {
            changes.push(Change::Own(OfInstall::Snapshot { path: SNAPSHOT.into() }));
        }
        if !has(COPY) {
            let new = format!("{COPY}.new");
            let copy = Command::of("cp --archive --parents");
            let copy = files(host)?.into_iter().fold(copy, Command::with);
            changes.extend([
                Change::run(&format!("rm -rf {new}")),
                Change::run(&format!("mkdir {new}")),
                Change::run_command(copy.with(new.clone())),
                // Its name says that all of it is on the disk.
                Change::run("sync"),
                Change::run(&format!("mv {new} {COPY}")),
            ]);
        }
        Ok(changes)
    }
}

/// The files and folders that an upgrade may change, as far as they are there.
fn files(host: &Host) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    // kubeadm keeps copies of etcd's data in `tmp`.
    for name in host.list(KUBERNETES)?.iter().filter(|name| *name != "tmp") {
        all.push(format!("{KUBERNETES}/{name}"));
    }
    all.extend(
        [KUBEADM_CONFIG, KUBEADM_JOINED, JOINED, KUBELET_CONFIG, DNF_CONFIG].map(Into::into),
    );
    all.extend(
        ["join.yaml", "resolv.conf", "manifests"].map(|name| format!("{SERVICE_FOLDER}/{name}")),
    );
    all.extend(["repodata", "keys"].map(|name| format!("{PACKAGES}/{name}")));
    all.extend(
        [
            "/var/lib/kubelet/instance-config.yaml",
            "/var/lib/kubelet/kubeadm-flags.env",
            "/etc/sysconfig/kubelet",
            "/etc/containerd",
            "/etc/crictl.yaml",
        ]
        .map(Into::into),
    );
    all.retain(|path| host.exists(path));
    Ok(all)
}

/// Images of the node that the new bundle has under the same name with another tag, of
/// kubeadm only: another application may still need any other one.
fn old_images(node: &Node<'_>) -> String {
    let lock = &node.intent.lock().images;
    // Images of later releases may be here already.
    let new = node.intent.bundle.images_from_here().flat_map(layout::names);
    let new: Vec<String> = new.map(|name| name.to_string()).collect();
    let is_older = |name: &&String| {
        let parsed = name.parse::<ImageReference>();
        let sandbox = node.intent.lock().sandbox_image.as_ref();
        let is_of_kubeadm = |own: &LockedImage| {
            own.why.iter().all(|why| matches!(why, Why::Kubeadm { .. }))
                || sandbox.is_some_and(|sandbox| sandbox.name() == own.name.name())
        };
        let is_known = |one: &ImageReference| {
            lock.iter().any(|own| own.name.name() == one.name() && is_of_kubeadm(own))
        };
        !new.contains(name) && parsed.is_ok_and(|one| one.tag().is_some() && is_known(&one))
    };
    let here = images::whole(node.host).unwrap_or_default();
    here.iter().filter(is_older).map(|name| format!("{name}\n")).collect()
}

/// The objects as they can be put back: without what only the API server writes.
pub(super) fn objects(host: &Host) -> anyhow::Result<String> {
    let question = format!(
        "{} --request-timeout 30s -n kube-system get --ignore-not-found --output json {REPLACED}",
        kubectl(ADMIN_CONF)
    );
    let said = host.answer(&Command::of(&question))?;
    if !said.succeeded() {
        bail!("the API server does not say what kubeadm will replace: {}", said.end());
    }
    let list: Value = serde_json::from_str(&said.stdout).context("reading kubectl's answer")?;
    let items = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let items: Vec<Value> = items.into_iter().map(bare).collect();
    Ok(format!("{:#}\n", json!({"apiVersion": "v1", "kind": "List", "items": items})))
}

fn bare(mut object: Value) -> Value {
    if let Some(all) = object.as_object_mut() {
        all.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let kept = ["name", "namespace", "labels", "annotations"];
        let old: Map<String, Value> = std::mem::take(metadata);
        metadata.extend(old.into_iter().filter(|(key, _)| kept.contains(&key.as_str())));
    }
    object
}
