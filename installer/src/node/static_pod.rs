//! The control plane's pods, as kubeadm has written them for kubelet.

use std::path::{Path, PathBuf};

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

/// The arguments of the pod `name`: `--initial-cluster=…`.
pub(crate) fn arguments(host: &Host, name: &str) -> anyhow::Result<Vec<String>> {
    let pod = read(host, &path(name))?;
    let command = pod.pointer("/spec/containers/0/command").and_then(Value::as_array);
    let words = command.into_iter().flatten().filter_map(Value::as_str);
    Ok(words.map(str::to_owned).collect())
}

/// The image of the pod `name`, such as `etcd`.
pub(crate) fn image(host: &Host, name: &str) -> anyhow::Result<ImageReference> {
    image_in(host, &path(name))
}

/// The image of the pod in a file.
pub(crate) fn image_in(host: &Host, path: &Path) -> anyhow::Result<ImageReference> {
    let image = read(host, path)?;
    let image = image.pointer("/spec/containers/0/image").and_then(Value::as_str);
    let image = image.context("it names no image").and_then(|image| Ok(image.parse()?));
    image.with_context(|| format!("reading {}", path.display()))
}

fn read(host: &Host, path: &Path) -> anyhow::Result<Value> {
    let text = host.read(path)?.ok_or_else(|| {
        Failure::new(format!("{} is gone", path.display()), "`installer doctor` says why")
    })?;
    serde_saphyr::from_str(&text).with_context(|| format!("reading {}", path.display()))
}

/// The file of the pod `name`.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(STATIC_PODS).join(format!("{name}.yaml"))
}
