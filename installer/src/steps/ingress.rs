//! The workloads of the bundle's ingress, and the taints that they tolerate.

use anyhow::Context;
use bundle_format::cluster::Taint;
use serde::Deserialize;
use serde_json::Value;

use super::manifests;
use crate::intent::Intent;

/// A DaemonSet or a Deployment (kubernetes.io, "DaemonSet v1 apps").
#[derive(Deserialize)]
pub(crate) struct Workload {
    pub(crate) kind: String,
    pub(crate) metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    #[serde(default = "default_namespace")]
    pub(crate) namespace: String,
}

fn default_namespace() -> String {
    "default".to_owned()
}

#[derive(Deserialize)]
struct Spec {
    template: Template,
}

#[derive(Deserialize)]
struct Template {
    spec: Pod,
}

#[derive(Deserialize)]
struct Pod {
    #[serde(default)]
    tolerations: Vec<Toleration>,
}

/// A toleration (kubernetes.io, "Taints and Tolerations").
#[derive(Default, Deserialize)]
#[serde(default)]
struct Toleration {
    key: String,
    operator: String,
    value: String,
    effect: String,
}

impl Toleration {
    fn covers(&self, taint: &Taint) -> bool {
        let exists = self.operator == "Exists";
        let value = taint.value.as_ref().map(ToString::to_string).unwrap_or_default();
        (self.key == taint.key || self.key.is_empty() && exists)
            && (exists || self.value == value)
            && (self.effect.is_empty() || self.effect == taint.effect)
    }
}

impl Workload {
    /// Whether its pods can run on a machine with this taint.
    pub(crate) fn tolerates(&self, taint: &Taint) -> bool {
        let tolerations = &self.spec.template.spec.tolerations;
        taint.effect == "PreferNoSchedule" || tolerations.iter().any(|one| one.covers(taint))
    }
}

/// The workloads of the bundle's ingress; none if the ingress is off.
pub(crate) fn workloads(intent: &Intent) -> anyhow::Result<Vec<Workload>> {
    let mut workloads = Vec::new();
    for manifest in manifests::wanted(intent).filter(|one| manifests::is_ingress(&one.name)) {
        let reading = || format!("reading the bundle's manifest {}", manifest.name);
        let bytes = intent.bundle.read(&manifest.applied).with_context(reading)?;
        let text = String::from_utf8_lossy(&bytes);
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).with_context(reading)?;
        for document in documents {
            if matches!(document["kind"].as_str(), Some("DaemonSet" | "Deployment")) {
                workloads.push(serde_json::from_value(document).with_context(reading)?);
            }
        }
    }
    Ok(workloads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toleration_covers_what_kubernetes_says() {
        let covers = |toleration: &str, taint: &str| {
            let toleration: Toleration = serde_saphyr::from_str(toleration).unwrap();
            toleration.covers(&Taint::try_from(taint.to_owned()).unwrap())
        };
        for (toleration, taint, covered) in [
            ("{operator: Exists}", "a=b:NoExecute", true),
            ("{key: a, operator: Exists, effect: NoSchedule}", "a=b:NoSchedule", true),
            ("{key: a, operator: Exists, effect: NoSchedule}", "a=b:NoExecute", false),
            ("{key: a, value: b}", "a=b:NoSchedule", true),
            ("{key: a, value: c}", "a=b:NoSchedule", false),
            ("{key: a}", "a:NoSchedule", true),
            ("{key: b, operator: Exists}", "a:NoSchedule", false),
        ] {
            assert_eq!(covers(toleration, taint), covered, "{toleration} {taint}");
        }
    }
}
