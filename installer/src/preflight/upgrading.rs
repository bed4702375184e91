//! What is in the way of an upgrade; and an upgrade that is in the way of anything else.

use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::statvfs;
use serde_json::Value;

use crate::backup::etcdctl;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::intent::{Intent, Upgrading};
use crate::node::certificates::kept::Keeper;
use crate::node::certificates::pki;
use crate::node::kubeadm::{Kept, image_repository};
use crate::node::kubectl::kubectl;
use crate::node::paths::{ADMIN_CONF, ETCD, KUBEADM_CONFIG, KUBEADM_JOINED, PACKAGES, UPGRADE};
use crate::node::rpm::Installed;
use crate::node::{containers, pods, registered};
use crate::receipt::{Stage, Upgrade, upgrade};
use crate::role::Role;
use crate::steps::packages::compared::compare;
use crate::steps::upgrade::node::too_new;
use crate::steps::upgrade::{config_of, drain};

/// How long certificates must be valid at least: an upgrade, and the way back.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let open = upgrade(host.lines());
    let Some(own) = &intent.upgrade else {
        return Ok(open.and_then(in_the_middle).into_iter().collect());
    };
    let mut found: Vec<Failure> = other(open, intent).into_iter().collect();
    found.extend(order(own, intent));
    found.extend(repository(host, intent));
    if open.is_some() {
        // It has begun: nothing may answer now, and it goes on.
        return Ok(found);
    }
    found.extend(certificates(host)?);
    found.extend(match intent.role {
        Role::Master => of_master(host, intent)?,
        Role::Worker => of_worker(host, intent)?,
    });
    let node = crate::install::Node { host, intent };
    if drain::is_wanted(&node) {
        let config = config_of(intent.role);
        found.extend(pods::lost(&pods::that_move(host, config, &intent.name.to_string())?));
    }
    Ok(found)
}

/// Packages of before that the way back would need, and that the node no longer has.
pub(super) fn warnings(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    if intent.upgrade.is_none() || upgrade(host.lines()).is_some() {
        return Ok(Vec::new());
    }
    let needed = ["kubeadm", "kubelet", "containerd.io", "containerd"];
    let installed = Installed::of(host)?;
    let compared = compare(&installed, intent);
    let replaced = compared.changes.iter().filter_map(|(_, change)| change.replaced());
    let replaced = replaced.filter(|one| needed.contains(&one.was.name.as_str()));
    let files = replaced.map(|one| one.was.file_name());
    let gone: Vec<String> =
        files.filter(|name| !host.exists(Path::new(PACKAGES).join(name))).collect();
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Failure::new(
        format!("{PACKAGES} has no {}: this upgrade could not be taken back", gone.join(", ")),
        "take these files out of the bundle that the node was made with, and put them there first",
    )])
}

/// The failure of an install on a node whose upgrade has not ended.
fn in_the_middle(open: &Upgrade) -> Option<Failure> {
    let (is, cure) = match open.stage {
        Stage::Begun => (
            "is being upgraded",
            "go on with `installer upgrade` and the same bundle, or back with `installer upgrade \
             --back`",
        ),
        Stage::Returning => ("is on its way back", "go on with `installer upgrade --back`"),
        _ => return None,
    };
    Some(Failure::new(format!("this node {is} {open}"), cure))
}

/// The failure if another upgrade than this one has not ended.
fn other(open: Option<&Upgrade>, intent: &Intent) -> Option<Failure> {
    let open = open?;
    let is_same = open.bundle == intent.bundle.index_digest();
    match open.stage {
        Stage::Returning => in_the_middle(open),
        Stage::Begun if !is_same => Some(Failure::new(
            format!("this node is being upgraded {open}, with another bundle"),
            "go on with that bundle, or back with `installer upgrade --back`",
        )),
        Stage::Made if !is_same => Some(Failure::new(
            format!("the upgrade {open} can still be taken back, and would not be after another"),
            "declare it finished with `installer upgrade --finish`, and run this again",
        )),
        _ => None,
    }
}

/// One minor release at a time, and never back.
fn order(own: &Upgrading, intent: &Intent) -> Option<Failure> {
    let (from, to) = (&own.from, &intent.lock().kubernetes);
    if (to.minor(), to.patch()) < (from.minor(), from.patch()) {
        return Some(Failure::new(
            format!("this node has Kubernetes {from}, and the bundle has {to}, which is older"),
            "`installer upgrade --back` takes the last upgrade back; nothing else goes back",
        ));
    }
    (to.minor() > from.minor() + 1).then(|| {
        Failure::new(
            format!(
                "this node has Kubernetes {from}, and the bundle has {to}: that is more than \
                     one minor release"
            ),
            format!("upgrade to 1.{} first, with a bundle of that", from.minor() + 1),
        )
    })
}

/// kubeadm takes the images from where the cluster has them.
fn repository(host: &Host, intent: &Intent) -> Option<Failure> {
    let path = if intent.role == Role::Master { KUBEADM_CONFIG } else { KUBEADM_JOINED };
    let was = Kept::read(host, path).ok()?.repository;
    let lock = intent.lock();
    let is = image_repository(&lock.kubernetes, lock.sandbox_image.as_ref());
    let name = |one: &Option<String>| one.as_deref().unwrap_or("kubeadm's own").to_owned();
    (was != is).then(|| {
        Failure::new(
            format!(
                "the cluster takes kubeadm's images from the repository {}, and the bundle has them \
                 in {}",
                name(&was),
                name(&is)
            ),
            "make the bundle with the images under their old names",
        )
    })
}

fn certificates(host: &Host) -> anyhow::Result<Vec<Failure>> {
    let then = SystemTime::now() + A_DAY;
    let (all, _) = pki::all(host);
    let ending = all.into_iter().filter(|one| {
        matches!(one.keeper, Keeper::Authority | Keeper::ControlPlane | Keeper::Kubelet)
            && (one.certificate.has_expired(then) || one.certificate.is_early(then))
    });
    let paths: Vec<String> = ending.map(|one| one.path).collect();
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Failure::new(
        format!("certificates have expired, or will today: {}", paths.join(", ")),
        "`installer certs renew` on a master; `installer doctor` says more",
    )])
}

fn of_worker(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found: Vec<Failure> = too_new(host, &intent.lock().kubernetes)?.into_iter().collect();
    match registered::ask(host) {
        Ok(Some(one)) if one.ready == "True" => {}
        Ok(Some(one)) => found.push(not_ready(&intent.name.to_string(), &one.message)),
        Ok(None) => {
            found.push(not_ready(&intent.name.to_string(), "the API server does not know it"));
        }
        Err(reason) => found.push(not_ready(&intent.name.to_string(), &reason)),
    }
    Ok(found)
}

fn not_ready(name: &str, reason: &str) -> Failure {
    Failure::new(
        format!("the node {name} is not Ready: {reason}"),
        "`installer doctor` there says why; fix that, or if it is gone for good `kubectl delete \
         node`",
    )
}

fn of_master(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    let ask = |words: &str| {
        host.answer(&Command::of(&format!("{} --request-timeout 20s {words}", kubectl(ADMIN_CONF))))
    };
    let nodes = ask("get nodes --output json")?;
    if !nodes.succeeded() {
        return Ok(vec![Failure::new(
            format!("the API server does not answer: {}", nodes.end()),
            "`installer doctor` says why",
        )]);
    }
    let nodes: Value = serde_json::from_str(&nodes.stdout).unwrap_or_default();
    for node in nodes.get("items").and_then(Value::as_array).into_iter().flatten() {
        let name = node.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
        let ready = conditions.into_iter().flatten().find(|one| one["type"] == "Ready");
        if ready.is_none_or(|one| one["status"] != "True") {
            let reason = ready.and_then(|one| one["message"].as_str()).unwrap_or("nobody says why");
            found.push(not_ready(name, reason));
        }
    }
    found.extend(etcd(host)?);
    let metrics = ask("get --raw /metrics")?;
    found.extend(removed(&metrics.stdout, intent.lock().kubernetes.minor()));
    Ok(found)
}

/// etcd answers, has no alarm, and its disk has room for a snapshot and for kubeadm's own
/// copy of the data.
fn etcd(host: &Host) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    let Some((_, id)) = containers::running(host, &["etcd"])?.into_iter().next() else {
        return Ok(vec![Failure::new(
            "etcd does not run on this node",
            "`installer doctor` says why",
        )]);
    };
    for (question, what) in [("endpoint health", "is not healthy"), ("alarm list", "has an alarm")]
    {
        let said = host.answer(&etcdctl(&id, question))?;
        if !said.succeeded() || question == "alarm list" && !said.stdout.trim().is_empty() {
            found.push(Failure::new(
                format!(
                    "etcd {what}: {}",
                    [said.stdout.trim(), said.stderr.trim()].join(" ").trim()
                ),
                "`crictl logs` of etcd's container says more; fix that first",
            ));
        }
    }
    let used = host.path(ETCD).join("member/snap/db").metadata().map_or(0, |file| file.len());
    for (folder, copies) in [(ETCD, 2), ("/etc/kubernetes", 1), ("/var/lib", 1)] {
        let Ok(disk) = statvfs(host.path(folder)) else { continue };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < used.saturating_mul(copies) {
            found.push(Failure::new(
                format!(
                    "etcd has {} MiB of data, and the disk of {folder} has {} MiB left",
                    used >> 20,
                    free >> 20
                ),
                format!(
                    "make room there: copies of the data lie in {UPGRADE} and in kubeadm's folder"
                ),
            ));
        }
    }
    Ok(found)
}

/// APIs that clients have asked for since the API server started, and that the new version
/// no longer has (kubernetes.io, "Deprecated API Migration Guide").
fn removed(metrics: &str, minor: u32) -> Vec<Failure> {
    let mut gone: Vec<String> = Vec::new();
    for line in metrics.lines() {
        let Some(labels) = line.strip_prefix("apiserver_requested_deprecated_apis{") else {
            continue;
        };
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\""))?;
            rest.split('"').next()
        };
        let release =
            label("removed_release").and_then(|text| text.split_once('.')?.1.parse().ok());
        if release.is_some_and(|release: u32| release <= minor) {
            let part = |name: &str| label(name).unwrap_or_default().to_owned();
            let group = part("group");
            let group = if group.is_empty() { String::new() } else { format!("{group}/") };
            gone.push(format!("{} of {group}{}", part("resource"), part("version")));
        }
    }
    gone.sort();
    gone.dedup();
    let failure = |what: String| {
        Failure::new(
            format!("somebody uses {what}, which Kubernetes 1.{minor} no longer has"),
            "find who does, and bring him to the next version of that API; then restart the API \
             server, which remembers such a question: `crictl ps --name kube-apiserver` and \
             `crictl stop` with its ID",
        )
    };
    gone.into_iter().map(failure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apis_that_go_are_told() {
        let metrics = "# TYPE apiserver_requested_deprecated_apis gauge\n\
            apiserver_requested_deprecated_apis{group=\"\",removed_release=\"\",resource=\"endpoints\",subresource=\"\",version=\"v1\"} 1\n\
            apiserver_requested_deprecated_apis{group=\"flow\",removed_release=\"1.32\",resource=\"flowschemas\",subresource=\"\",version=\"v1beta3\"} 1\n\
            apiserver_requested_deprecated_apis{group=\"x\",removed_release=\"1.40\",resource=\"y\",subresource=\"\",version=\"v1\"} 1\n";
        let told = |minor| -> Vec<String> {
            removed(metrics, minor).iter().map(ToString::to_string).collect()
        };
        assert_eq!(told(31), [""; 0]);
        assert_eq!(
            told(32),
            ["somebody uses flowschemas of flow/v1beta3, which Kubernetes 1.32 no longer has"]
        );
    }
}
