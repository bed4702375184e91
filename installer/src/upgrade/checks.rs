//! What is in the way of the way back.

use std::collections::BTreeSet;

use serde_json::Value;

use super::packages::Packages;
use super::returning::Return;
use super::{etcd, snapshot};
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::halfway;
use crate::node::kubectl::kubectl;
use crate::node::paths::{ADMIN_CONF, PACKAGES};
use crate::node::registered::{self, MASTER, Versioned};
use crate::role::Role;
use crate::steps::images;
use crate::steps::upgrade::copy::{COPY, IMAGES};
use crate::steps::upgrade::first::was_first;

/// The pods of a control plane.
const PODS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// How long containerd may take to answer after a boot, in seconds.
const START: u32 = 60;

/// All problems.
pub fn problems(host: &Host, back: &Return) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    let packages = Packages::of(host)?;
    let version = back.upgrade.from.as_str();
    // Others may stay newer.
    let needed = packages.missing.iter().filter(|package| package.evr.version == version);
    let names: Vec<String> = needed.map(bundle_format::Nevra::file_name).collect();
    if !names.is_empty() {
        found.push(Failure::new(
            format!("{PACKAGES} no longer has {}", names.join(", ")),
            "take these files out of the bundle of before, and put them there",
        ));
    }
    found.extend(packages.refusal(host)?);
    if back.role == Role::Master {
        found.extend(etcd::silent(host)?);
        found.extend(match back.from_snapshot {
            true => snapshot::problem(host)?,
            false => etcd::unknown(host)?,
        });
        found.extend(newer(host, back)?);
    }
    if back.role == Role::Worker && back.from_snapshot {
        found.push(Failure::new("a worker has no etcd", "leave out --from-snapshot"));
    }
    found.extend(images(host, back)?);
    Ok(found)
}

/// The images that the node starts from are still there.
fn images(host: &Host, back: &Return) -> anyhow::Result<Option<Failure>> {
    // After a boot, it takes a while.
    let answers = |host: &Host| Ok(images::whole(host).is_some());
    drop(host.await_that("containerd to answer", START, answers));
    let Some(here) = images::whole(host) else {
        return Ok(Some(Failure::new(
            "containerd does not answer, and the way back needs it",
            format!(
                "`journalctl -u containerd` says why; its settings of before are in \
                 {COPY}/etc/containerd, and its package of before in {PACKAGES}: put them back by \
                 hand, `systemctl restart containerd`, and run this again"
            ),
        )));
    };
    let mut wanted = BTreeSet::new();
    if back.role == Role::Master {
        for pod in PODS {
            wanted.insert(etcd::image_of(host, pod)?.to_string());
        }
    }
    wanted.extend(sandbox(host)?);
    // Those that the node had, and that the new bundle has in another version.
    let of_proxy = format!("/kube-proxy:v{}", back.upgrade.from);
    let old = host.read(IMAGES)?.unwrap_or_default();
    wanted.extend(old.lines().filter(|name| name.ends_with(&of_proxy)).map(str::to_owned));
    let gone: Vec<String> = wanted.into_iter().filter(|name| !here.contains(name)).collect();
    Ok((!gone.is_empty()).then(|| {
        Failure::new(
            format!("containerd no longer has {}", gone.join(", ")),
            "import them from the bundle of before with `ctr -n k8s.io images import`",
        )
    }))
}

/// The sandbox image of before, as containerd's files had it.
fn sandbox(host: &Host) -> anyhow::Result<BTreeSet<String>> {
    let folder = format!("{COPY}/etc/containerd");
    let mut found = BTreeSet::new();
    for name in host.list(&folder)?.iter().filter(|name| name.ends_with(".toml")) {
        let text = host.read(format!("{folder}/{name}"))?.unwrap_or_default();
        // `sandbox_image = "…"`, and since containerd 2 `sandbox = '…'`.
        let values = text.lines().filter_map(|line| {
            let (key, value) = line.trim().split_once('=')?;
            ["sandbox_image", "sandbox"].contains(&key.trim()).then_some(value)?;
            value.trim().split(['"', '\'']).nth(1)
        });
        found.extend(values.map(str::to_owned));
    }
    Ok(found)
}

/// Nodes that must go back before this master. A worker's kubelet would be newer than an API
/// server. And the master that was upgraded first has kubeadm's settings of before, which are
/// wrong as long as another one is newer. If the API server does not answer, nobody can say.
fn newer(host: &Host, back: &Return) -> anyhow::Result<Vec<Failure>> {
    let was_first = was_first(host, &back.upgrade.to)?;
    let list = format!("{} --request-timeout 10s get nodes --output json", kubectl(ADMIN_CONF));
    let said = host.ask(&Command::of(&list));
    let list: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
    let own = back.name.to_string();
    let nodes = list.get("items").and_then(Value::as_array).into_iter().flatten();
    let newer = nodes.filter_map(|node| {
        let Versioned { node: name, version } = registered::kubelet_of(node)?;
        let (name, from) = (name?, &back.upgrade.from);
        let is_newer = version.numbers() > from.numbers();
        let is_master = node.pointer("/metadata/labels")?.get(MASTER).is_some();
        (is_newer && name != own && (was_first || !is_master)).then(|| {
            Failure::new(
                format!("{name} has a kubelet of {version}, newer than this node will be: {from}"),
                "take that node back first",
            )
        })
    });
    let mut found: Vec<Failure> = newer.collect();
    found.extend(halfway::others(host, &list, &own).unwrap_or_default());
    Ok(found)
}
