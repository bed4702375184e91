//! The machines that the ingress runs on. They have a label, and the ingress's
//! workloads select by it. A worker labels itself, because it may join long after the
//! master was made; the master labels the machines that are there. Applying the
//! bundle's manifest again changes neither, because it says nothing of them.

use bundle_format::cluster::NodeName;

use super::ingress::{self, Workload};
use crate::engine::step::Step;
use crate::exec::Command;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::kubectl::kubectl;
use crate::node::paths::{ADMIN_CONF, KUBELET_CONF};
use crate::receipt::StepName;
use crate::role::Role;

/// A label of our own, because kubelet may not set those of Kubernetes
/// (kubernetes.io, "NodeRestriction").
const LABEL: &str = "kubeferry/ingress";

/// Labels machines, and makes the ingress select by the label.
pub struct IngressNodes;

impl Step<Intent> for IngressNodes {
    fn name(&self) -> StepName {
        StepName::IngressNodes
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        match node.intent.role {
            Role::Master => of_all(node),
            Role::Worker => Ok(of_itself(node)),
        }
    }
}

/// Labels come before workloads select by them, and go after they no longer do. So
/// the ingress always has a machine to run on.
fn of_all(node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
    let (host, cluster) = (node.host, &node.intent.cluster);
    let workloads = ingress::workloads(node.intent)?;
    let selects = cluster.ingress_nodes.is_some();
    let selectors = workloads.iter().filter(|one| is_selecting(host, one) != selects);
    let mut selectors: Vec<Change> = selectors.map(|one| select(one, selects)).collect();
    if workloads.is_empty() || !selects && selectors.is_empty() {
        return Ok(Vec::new());
    }
    let ask = |more: &str| -> Vec<String> {
        let list = format!("{} --request-timeout 10s get nodes -o name{more}", kubectl(ADMIN_CONF));
        let said = host.query(&list).stdout;
        said.lines().filter_map(|line| line.strip_prefix("node/")).map(str::to_owned).collect()
    };
    let labelled = ask(&format!(" --selector {LABEL}=true"));
    let mut there = ask("");
    let own = node.intent.name.to_string();
    if !there.contains(&own) {
        // A plan is made before there is a cluster.
        there.push(own);
    }
    let is_wanted = |name: &str| {
        let mut wanted = cluster.ingress_nodes.iter().flatten();
        wanted.any(|one| one.to_string() == name)
    };
    let differs = there.iter().filter(|name| is_wanted(name) != labelled.contains(name));
    let mut labels: Vec<Change> =
        differs.map(|name| label(ADMIN_CONF, name, is_wanted(name))).collect();
    if selects {
        labels.append(&mut selectors);
        return Ok(labels);
    }
    selectors.append(&mut labels);
    Ok(selectors)
}

fn of_itself(node: &Node<'_>) -> Vec<Change> {
    let name: &NodeName = &node.intent.name;
    let cluster = &node.intent.cluster;
    // If all machines have the label, the workloads need not select.
    let Some(wanted) = cluster.ingress_nodes.as_ref().filter(|_| cluster.ingress) else {
        return Vec::new();
    };
    let wanted = wanted.contains(name);
    let now = node.host.query(&format!(
        "{} --request-timeout 10s get node {name} -o jsonpath={{.metadata.labels.{LABEL}}}",
        kubectl(KUBELET_CONF)
    ));
    if (now.stdout.trim() == "true") == wanted {
        return Vec::new();
    }
    vec![label(KUBELET_CONF, &name.to_string(), wanted)]
}

fn label(config: &str, name: &str, wanted: bool) -> Change {
    let change = if wanted { "=true" } else { "-" };
    Change::run(&format!("{} label --overwrite node {name} {LABEL}{change}", kubectl(config)))
}

fn is_selecting(host: &Host, workload: &Workload) -> bool {
    let now = host.query(&format!(
        "{} --request-timeout 10s -n {} get {} {} -o jsonpath=\
         {{.spec.template.spec.nodeSelector.{LABEL}}}",
        kubectl(ADMIN_CONF),
        workload.metadata.namespace,
        workload.kind.to_lowercase(),
        workload.metadata.name
    ));
    now.stdout.trim() == "true"
}

fn select(workload: &Workload, selects: bool) -> Change {
    let value = if selects { "\"true\"" } else { "null" };
    let patch = format!(
        "{{\"spec\":{{\"template\":{{\"spec\":{{\"nodeSelector\":{{\"{LABEL}\":{value}}}}}}}}}}}"
    );
    let command = Command::of(&format!(
        "{} -n {} patch {} {} --type merge --patch",
        kubectl(ADMIN_CONF),
        workload.metadata.namespace,
        workload.kind.to_lowercase(),
        workload.metadata.name
    ));
    Change::run_command(command.with(patch))
}
