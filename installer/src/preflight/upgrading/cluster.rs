//! The cluster of a node that is to be upgraded.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{apis, behind, etcd};
use crate::exec::Command;
use crate::failure::{Awaited, Failure};
use crate::host::Host;
use crate::intent::Intent;
use crate::node::halfway;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;
use crate::node::registered;
use crate::steps::images;
use crate::steps::upgrade::node::too_new;

/// The most images that kubelet tells of (kubelet's `nodeStatusMaxImages`).
const MOST: usize = 50;

pub(super) fn of_worker(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
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

/// Other masters in the middle of their upgrade.
fn in_the_middle(host: &Host, nodes: &Value, own: &str) -> Vec<Failure> {
    halfway::others(host, nodes, own).unwrap_or_else(|reason| {
        vec![Failure::new(
            format!("the API server does not say which versions the masters have: {reason}"),
            "`installer doctor` says why",
        )]
    })
}

/// What would not stop the upgrade of a master, and should be known. A worker may not list
/// nodes.
pub(super) fn warnings(host: &Host, intent: &Intent) -> Vec<Failure> {
    let list = format!("{} --request-timeout 20s get nodes --output json", kubectl(ADMIN_CONF));
    let nodes: Value = serde_json::from_str(&host.query(&list).stdout).unwrap_or_default();
    let name = |node: &Value| Some(node.pointer("/metadata/name")?.as_str()?.to_owned());
    let own = Some(intent.name.to_string());
    let others = items(&nodes).filter(|node| name(node) != own);
    let (masters, workers): (Vec<&Value>, Vec<&Value>) =
        others.clone().partition(|one| is_master(one));
    let cordoned = masters.into_iter().filter(|node| node["spec"]["unschedulable"] == true);
    let workers = workers.into_iter().filter_map(name).collect();
    let full = others.filter(|node| {
        let images = node.pointer("/status/images").and_then(Value::as_array);
        images.is_none_or(|images| images.len() >= MOST)
    });
    let found = [
        only_worker(workers),
        unknown_images(full.filter_map(name).collect()),
        cordoned_masters(cordoned.filter_map(name).collect()),
    ];
    found.into_iter().flatten().collect()
}

/// The warning if there is one worker, whose pods could move nowhere.
fn only_worker(workers: Vec<String>) -> Option<Failure> {
    let [only] = &workers[..] else { return None };
    Some(Failure::new(
        format!("{only} is the only worker: its pods have nowhere to go while it is upgraded"),
        "upgrade it with `--no-drain`: its pods then stay there, and keep running",
    ))
}

/// The warning if pods may not come to other masters: an upgrade that changes no version of
/// Kubernetes shows no other sign while it goes on.
fn cordoned_masters(names: Vec<String>) -> Option<Failure> {
    (!names.is_empty()).then(|| {
        Failure::new(
            format!("{} is cordoned, as in the middle of an upgrade", names.join(", ")),
            "`installer status` there says whether it is; then go on with that one first",
        )
    })
}

/// The warning if the API server does not tell of all images that nodes have, because they
/// are too many.
fn unknown_images(names: Vec<String>) -> Option<Failure> {
    (!names.is_empty()).then(|| {
        Failure::new(
            format!(
                "the API server does not tell whether the new images are on {}",
                names.join(", ")
            ),
            "run `installer upgrade --images` there with this bundle, if that was not done yet",
        )
    })
}

/// The objects of a list.
fn items(list: &Value) -> impl Iterator<Item = &Value> + Clone {
    list.get("items").and_then(Value::as_array).into_iter().flatten()
}

fn is_master(node: &Value) -> bool {
    node.pointer("/metadata/labels").is_some_and(|labels| labels.get(registered::MASTER).is_some())
}

pub(super) fn of_master(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
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
    if items(&nodes).next().is_none() {
        return Ok(vec![Failure::new(
            "kubectl's list of nodes is not understood",
            format!("`{} get nodes --output json` shows it", kubectl(ADMIN_CONF)),
        )]);
    }
    found.extend(in_the_middle(host, &nodes, &intent.name.to_string()));
    found.extend(behind::problems(items(&nodes), intent));
    let wanted = images::of_workers(intent);
    for node in items(&nodes) {
        let name = node.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
        let ready = conditions.into_iter().flatten().find(|one| one["type"] == "Ready");
        if ready.is_none_or(|one| one["status"] != "True") {
            let reason = ready.and_then(|one| one["message"].as_str()).unwrap_or("nobody says why");
            found.push(not_ready(name, reason));
        }
        if name != intent.name.to_string() {
            found.extend(without_images(name, node, &wanted));
        }
    }
    found.extend(etcd::problems(host)?);
    let metrics = ask("get --raw /metrics")?;
    // Any API server has this one.
    if !metrics.succeeded() || !metrics.stdout.contains("apiserver_") {
        found.push(Failure::new(
            format!("the API server does not say which removed APIs are in use: {}", metrics.end()),
            format!("`{} get --raw /metrics` says why", kubectl(ADMIN_CONF)),
        ));
    }
    found.extend(apis::removed(&metrics.stdout, intent.lock().kubernetes.minor()));
    Ok(found)
}

/// The failure if another node lacks images of the new bundle. The upgraded master would
/// start kube-proxy, CoreDNS and the manifests' pods there.
fn without_images(name: &str, node: &Value, wanted: &[Vec<String>]) -> Option<Failure> {
    let all = node.pointer("/status/images").and_then(Value::as_array)?;
    if all.len() >= MOST {
        return None;
    }
    let names = all.iter().filter_map(|image| image["names"].as_array()).flatten();
    let names: BTreeSet<&str> = names.filter_map(Value::as_str).collect();
    let is_there = |image: &&Vec<String>| image.iter().any(|name| names.contains(name.as_str()));
    let lacking = wanted.iter().filter(|image| !is_there(image)).count();
    (lacking > 0).then(|| {
        Failure::new(
            format!(
                "{name} has not got {lacking} of the {} new images, by the API server",
                wanted.len()
            ),
            "there, with this bundle: `installer upgrade --images`; the API server learns of it \
             within a minute or two",
        )
        .awaiting(Awaited::Images(name.to_owned()))
    })
}
