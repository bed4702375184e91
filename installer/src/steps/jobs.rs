//! Jobs of manifests. The API server lets nobody change what a Job runs, so a Job of an
//! older manifest is deleted before the newer one is applied. ingress-nginx has two, whose
//! image changes with each release.

use serde_json::Value;

use crate::exec::Command;
use crate::host::Host;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;

/// Where kubectl keeps what it applied.
const APPLIED: &str = "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";

/// The commands that delete the cluster's Jobs which are not as in this manifest.
pub(crate) fn deleted(host: &Host, manifest: &str) -> Vec<Command> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(manifest).unwrap_or_default();
    let jobs = documents.iter().filter(|one| one["kind"] == "Job");
    jobs.filter_map(|job| stale(host, job)).collect()
}

fn stale(host: &Host, job: &Value) -> Option<Command> {
    let text = |pointer: &str| job.pointer(pointer).and_then(Value::as_str);
    let (name, namespace) = (text("/metadata/name")?, text("/metadata/namespace"));
    let of = format!("{} --namespace {}", kubectl(ADMIN_CONF), namespace.unwrap_or("default"));
    let said = host.query(&format!("{of} --request-timeout 10s get job {name} --output json"));
    let there: Value = serde_json::from_str(&said.stdout).ok().filter(|_| said.succeeded())?;
    let applied = there.pointer(APPLIED).and_then(Value::as_str).unwrap_or_default();
    let applied: Value = serde_json::from_str(applied).unwrap_or_default();
    let is_same = applied.get("spec") == job.get("spec");
    (!is_same).then(|| Command::of(&format!("{of} delete --ignore-not-found job {name}")))
}
