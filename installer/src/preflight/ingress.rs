//! Machines that the ingress is to run on, and whose taints keep it away.

use bundle_format::cluster::{Member, Taint};
use serde_json::Value;

use crate::failure::Failure;
use crate::host::Host;
use crate::kubeadm;
use crate::step::Intent;
use crate::steps::ingress::workloads;
use crate::steps::kubeconfig::{ADMIN, kubectl};

/// Machines that the ingress is to run on, and cannot.
pub(super) fn problems(host: &Host, intent: &Intent) -> Vec<Failure> {
    let cluster = &intent.cluster;
    let Some(names) = cluster.ingress_nodes.as_ref().filter(|_| cluster.ingress) else {
        return Vec::new();
    };
    let bring = "take ingressNodes out of the cluster file, or make a bundle with ingress-nginx";
    let workloads = match workloads(intent) {
        Ok(workloads) if workloads.is_empty() => {
            let what = "ingressNodes is given, and no manifest `ingress-nginx` with a DaemonSet \
                        or a Deployment is applied";
            return vec![Failure::new(what, bring)];
        }
        Ok(workloads) => workloads,
        Err(error) => return vec![Failure::new(format!("{error:#}"), bring)],
    };
    let named = cluster.nodes.iter().filter(|node| names.contains(&node.name));
    let kept_away = named.filter_map(|node| {
        let taints = taints(host, intent, node);
        let (taint, workload) = taints.iter().find_map(|taint| {
            Some((taint, workloads.iter().find(|workload| !workload.bears(taint))?))
        })?;
        Some(Failure::new(
            format!(
                "ingressNodes names {}, whose taint {} keeps {} away",
                node.name,
                String::from(taint.clone()),
                workload.metadata.name
            ),
            "name other machines, or give this one `taints: []` in the cluster file before it \
             enters, so that all pods may run there; on a live node `kubectl taint node` takes a \
             taint away",
        ))
    });
    kept_away.collect()
}

/// A machine's taints: those that it has in its cluster, or will have.
fn taints(host: &Host, intent: &Intent, node: &Member) -> Vec<Taint> {
    if host.exists(ADMIN) {
        let said = host.query(&format!(
            "{} --request-timeout 10s get node {} -o jsonpath={{.spec.taints}}",
            kubectl(ADMIN),
            node.name
        ));
        if said.succeeded() {
            return live(&said.stdout);
        }
    }
    match &node.taints {
        Some(taints) => taints.clone(),
        None if node.name == intent.name => kubeadm::taints_of_masters(&intent.lock().kubernetes),
        None => Vec::new(),
    }
}

/// Of what the API server says; a node without any has no list.
fn live(text: &str) -> Vec<Taint> {
    let all: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let field = |one: &Value, name: &str| one[name].as_str().map(str::to_owned);
    let taint = |one: &Value| {
        let value = field(one, "value").map(|value| format!("={value}")).unwrap_or_default();
        let text = format!("{}{value}:{}", field(one, "key")?, field(one, "effect")?);
        Taint::try_from(text).ok()
    };
    // A node that is not Ready has taints of Kubernetes' own meanwhile.
    let lasts = |taint: &Taint| !taint.key.starts_with("node.kubernetes.io/");
    all.iter().filter_map(taint).filter(lasts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taints_of_a_live_node_are_read() {
        let text = r#"[{"effect":"NoSchedule","key":"node-role.kubernetes.io/master"},
            {"effect":"NoExecute","key":"node.kubernetes.io/not-ready"},
            {"effect":"NoSchedule","key":"gpu","value":"yes"}]"#;
        let told: Vec<String> = live(text).into_iter().map(String::from).collect();
        assert_eq!(told, ["node-role.kubernetes.io/master:NoSchedule", "gpu=yes:NoSchedule"]);
        assert!(live("").is_empty());
    }
}
