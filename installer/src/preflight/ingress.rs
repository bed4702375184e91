//! Machines that the ingress should run on, and whose taints keep it away.

use anyhow::Context;
use bundle_format::cluster::{Member, Taint};
use serde_json::Value;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::kubeadm;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;
use crate::steps::ingress::workloads;

/// Machines that the ingress should run on, and cannot.
pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let cluster = &intent.cluster;
    let Some(names) = cluster.ingress_nodes.as_ref().filter(|_| cluster.ingress) else {
        return Ok(Vec::new());
    };
    let bring = "take ingressNodes out of the cluster file, or make a bundle with an ingress";
    let workloads = match workloads(intent) {
        Ok(workloads) if workloads.is_empty() => {
            let what = "ingressNodes is set, but no manifest `ingress-nginx` or `traefik` with a \
                        DaemonSet or a Deployment is applied";
            return Ok(vec![Failure::new(what, bring)]);
        }
        Ok(workloads) => workloads,
        Err(error) => return Ok(vec![Failure::new(format!("{error:#}"), bring)]),
    };
    let mut kept_away = Vec::new();
    for node in cluster.nodes.iter().filter(|node| names.contains(&node.name)) {
        let taints = taints(host, intent, node)?;
        let keeping = taints.iter().find_map(|taint| {
            Some((taint, workloads.iter().find(|workload| !workload.tolerates(taint))?))
        });
        kept_away.extend(keeping.map(|(taint, workload)| {
            Failure::new(
                format!(
                    "ingressNodes names {}, whose taint {} keeps {} away",
                    node.name,
                    String::from(taint.clone()),
                    workload.metadata.name
                ),
                "name other machines, or give this one `taints: []` in the cluster file before it \
                 joins, so that all pods can run there; on a live node `kubectl taint node` \
                 takes a taint away",
            )
        }));
    }
    Ok(kept_away)
}

/// A machine's taints: from its cluster, or those that it will get.
fn taints(host: &Host, intent: &Intent, node: &Member) -> anyhow::Result<Vec<Taint>> {
    if host.exists(ADMIN_CONF) {
        let said = host.query(&format!(
            "{} --request-timeout 10s get node {} -o jsonpath={{.spec.taints}}",
            kubectl(ADMIN_CONF),
            node.name
        ));
        if said.succeeded() {
            return live(&said.stdout);
        }
    }
    Ok(match &node.taints {
        Some(taints) => taints.clone(),
        None if node.name == intent.name => kubeadm::taints_of_masters(&intent.lock().kubernetes),
        None => Vec::new(),
    })
}

/// Reads the API server's answer. A node without taints has no list.
fn live(text: &str) -> anyhow::Result<Vec<Taint>> {
    let text = text.trim();
    let all: Vec<Value> = match text {
        "" => Vec::new(),
        text => serde_json::from_str(text).context("reading a node's taints")?,
    };
    let taint = |one: &Value| {
        let field = |name: &str| one[name].as_str();
        let unread =
            || anyhow::anyhow!("the API server lists something that is not a taint: {one}");
        let value = field("value").map(|value| format!("={value}")).unwrap_or_default();
        let (key, effect) = field("key").zip(field("effect")).with_context(unread)?;
        Taint::try_from(format!("{key}{value}:{effect}")).map_err(anyhow::Error::msg)
    };
    // Kubernetes itself adds taints to a node while it is not Ready.
    let lasts = |one: &&Value| {
        !one["key"].as_str().is_some_and(|key| key.starts_with("node.kubernetes.io/"))
    };
    all.iter().filter(lasts).map(taint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taints_of_a_live_node_are_read() {
        let text = r#"[{"effect":"NoSchedule","key":"node-role.kubernetes.io/master"},
            {"effect":"NoExecute","key":"node.kubernetes.io/not-ready"},
            {"effect":"NoSchedule","key":"gpu","value":"yes"}]"#;
        let told: Vec<String> = live(text).unwrap().into_iter().map(String::from).collect();
        assert_eq!(told, ["node-role.kubernetes.io/master:NoSchedule", "gpu=yes:NoSchedule"]);
        assert!(live("").unwrap().is_empty());
        for bad in ["<html>", r#"[{"key":"a"}]"#, r#"[{"key":"a b","effect":"NoSchedule"}]"#] {
            assert!(live(bad).is_err(), "{bad}");
        }
    }
}
