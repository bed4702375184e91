//! What the node was before its upgrade is kept, for the way back: its files, etcd's data,
//! and the objects that kubeadm replaces.

use bundle_format::lock::{LockedImage, Why};
use bundle_format::{ImageReference, layout};

use crate::engine::step::Step;
use crate::exec::Command;
use crate::hop;
use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::paths::{
    DNF_CONFIG, JOINED, KUBEADM_CONFIG, KUBEADM_JOINED, KUBELET_CONFIG, KUBERNETES, PACKAGES,
    SERVICE_FOLDER, UPGRADE,
};
use crate::receipt::StepName;
use crate::role::Role;
use crate::steps::images;
use crate::steps::upgrade::objects::{self, OBJECTS};

/// Keeps what the node was.
pub struct KeepCopy;

/// The files, below a copy of their whole path.
pub(crate) const COPY: &str = "/var/lib/kubeferry/upgrade/copy";
/// What an ended upgrade has kept, while it is removed.
pub(crate) const GONE: &str = "/var/lib/kubeferry/upgrade.gone";
/// The snapshot of etcd.
pub(crate) const SNAPSHOT: &str = "/var/lib/kubeferry/upgrade/etcd.db";
/// The names of the images that the new bundle has in another version, one a line.
pub(crate) const IMAGES: &str = "/var/lib/kubeferry/upgrade/old-images";

/// Copies files with their whole paths. `cp` of coreutils 9.1 looks for their folders in the
/// working folder.
const KEEP: &str = r#"cd / && exec cp --archive --parents "$@""#;

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
        if node.intent.role == Role::Master && (!has(OBJECTS) || objects::are_stale(node)?) {
            changes.push(Change::write_secret(OBJECTS, objects::here(host)?));
        }
        if node.intent.role == Role::Master && !has(SNAPSHOT) {
            changes.push(Change::Own(OfInstall::Snapshot { path: SNAPSHOT.into() }));
        }
        if !has(COPY) {
            let new = format!("{COPY}.new");
            let copy = Command::of("sh -c").with(KEEP).with("sh");
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
