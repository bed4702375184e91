//! The control plane's pods, as kubeadm has written them for kubelet.

use std::path::Path;

use anyhow::Context;
use bundle_format::{ImageReference, KubernetesVersion};
use serde_json::Value;

use crate::failure::Failure;
use crate::host::Host;
use crate::node::paths::STATIC_PODS;

/// The version of the API server: its image's tag.
pub(crate) fn kubernetes(host: &Host) -> anyhow::Result<KubernetesVersion> {
    let image = image(host, "kube-apiserver")?;
    let version = image.tag().unwrap_or_default().trim_start_matches('v').parse();
    version.context("reading the version of the API server")
}

/// The image of the pod `name`, such as `etcd`.
pub(crate) fn image(host: &Host, name: &str) -> anyhow::Result<ImageReference> {
    let path = Path::new(STATIC_PODS).join(format!("{name}.yaml"));
    let reading = || format!("reading {}", path.display());
    let text = host.read(&path)?.ok_or_else(|| {
        Failure::new(format!("{} is gone", path.display()), "`installer doctor` says why")
    })?;
    let pod: Value = serde_saphyr::from_str(&text).with_context(reading)?;
    let image = pod.pointer("/spec/containers/0/image").and_then(Value::as_str);
    image.context("it names no image").and_then(|image| Ok(image.parse()?)).with_context(reading)
}
