//! The workloads of the bundle's ingress, and the taints that they bear.

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

/// What pods bear (kubernetes.io, "Taints and Tolerations").
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
    /// Whether its pods run on a machine that has this taint.
    pub(crate) fn bears(&self, taint: &Taint) -> bool {
        let tolerations = &self.spec.template.spec.tolerations;
        taint.effect == "PreferNoSchedule" || tolerations.iter().any(|one| one.covers(taint))
    }
}

/// The workloads of the bundle's ingress; none where it is not applied.
pub(crate) fn workloads(intent: &Intent) -> anyhow::Result<Vec<Workload>> {
    let is_it = |name: &str| name == manifests::INGRESS;
    let Some(manifest) = manifests::wanted(intent).find(|manifest| is_it(&manifest.name)) else {
        return Ok(Vec::new());
    };
    let reading = || format!("reading the bundle's manifest {}", manifest.name);
    let bytes = intent.bundle.read(&manifest.applied).with_context(reading)?;
    let text = String::from_utf8_lossy(&bytes);
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).with_context(reading)?;
    let is_workload =
        |document: &Value| matches!(document["kind"].as_str(), Some("DaemonSet" | "Deployment"));
    let workloads = documents.into_iter().filter(is_workload);
    workloads.map(|one| serde_json::from_value(one).with_context(reading)).collect()
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
