//! What is in the way of the way back.

use std::collections::BTreeSet;

use serde_json::Value;

use super::etcd;
use super::packages::Packages;
use super::returning::Return;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::kubectl::kubectl;
use crate::node::paths::{ADMIN_CONF, PACKAGES};
use crate::role::Role;

/// All problems.
pub fn problems(host: &Host, back: &Return) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    let missing = Packages::of(host)?.missing;
    let version = back.upgrade.from.as_str();
    // Others may stay newer.
    let needed = missing.iter().filter(|package| package.evr.version == version);
    let names: Vec<String> = needed.map(bundle_format::Nevra::file_name).collect();
    if !names.is_empty() {
        found.push(Failure::new(
            format!("{PACKAGES} no longer has {}", names.join(", ")),
            "take these files out of the bundle of before, and put them there",
        ));
    }
    if back.role == Role::Master {
        found.extend(etcd::several(host));
        found.extend(etcd::unknown(host)?);
        found.extend(image(host)?);
        found.extend(newer(host, back));
    }
    Ok(found)
}

/// The older etcd's image is there.
fn image(host: &Host) -> anyhow::Result<Option<Failure>> {
    let image = etcd::image_before(host)?.to_string();
    let said = host.query("ctr -n k8s.io images check --quiet");
    let all: BTreeSet<&str> = said.stdout.lines().map(str::trim).collect();
    Ok((!all.is_empty() && !all.contains(image.as_str())).then(|| {
        Failure::new(
            format!("containerd no longer has {image}"),
            "import it from the bundle of before with `ctr -n k8s.io images import`",
        )
    }))
}

/// Nodes whose kubelet would be newer than the API server. If that does not answer, nobody
/// can say.
fn newer(host: &Host, back: &Return) -> Vec<Failure> {
    let list = format!("{} --request-timeout 10s get nodes --output json", kubectl(ADMIN_CONF));
    let said = host.ask(&Command::of(&list));
    let list: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
    let own = back.name.to_string();
    let nodes = list.get("items").and_then(Value::as_array).into_iter().flatten();
    let newer = nodes.filter_map(|node| {
        let name = node.pointer("/metadata/name")?.as_str()?;
        let version = node.pointer("/status/nodeInfo/kubeletVersion")?.as_str()?;
        let version: bundle_format::KubernetesVersion =
            version.trim_start_matches('v').parse().ok()?;
        let from = &back.upgrade.from;
        let is_newer = (version.minor(), version.patch()) > (from.minor(), from.patch());
        (is_newer && name != own).then(|| {
            Failure::new(
                format!("{name} has a kubelet of {version}, newer than this node will be: {from}"),
                "take that node back first",
            )
        })
    });
    newer.collect()
}
