//! kubelet: whether it runs, and its configuration.

use std::net::IpAddr;

use anyhow::Context;
use serde_json::{Map, Value};

use super::finding::Finding;
use super::unit;
use crate::host::Host;
use crate::node::kubelet_arguments;
use crate::node::paths::KUBELET_CONFIG;
use crate::receipt::StepName;

/// kubelet's configuration; none if the file does not exist.
pub(super) fn configuration(host: &Host) -> anyhow::Result<Option<Map<String, Value>>> {
    let Some(text) = host.read(KUBELET_CONFIG)? else { return Ok(None) };
    let settings = serde_saphyr::from_str(&text).ok();
    settings.map(Some).with_context(|| format!("reading {KUBELET_CONFIG}: it is not YAML"))
}

/// The address that kubeadm gave to kubelet; none if it is unknown.
pub(super) fn address(host: &Host) -> anyhow::Result<Option<IpAddr>> {
    let text = host.read(kubelet_arguments::KUBEADM)?.unwrap_or_default();
    let words = text.split(|sign: char| sign.is_whitespace() || sign == '"');
    let mut addresses = words.filter_map(|word| word.strip_prefix("--node-ip=")?.parse().ok());
    Ok(addresses.next())
}

/// kubelet does not run.
pub(super) fn stopped(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(off) = unit::off(host, "kubelet", StepName::Packages)? else { return Ok(None) };
    // For a refused argument the log has only a stack trace.
    let refused = kubelet_arguments::refused(host)?;
    Ok(Some(refused.map_or(off, |refused| {
        let cure = format!("{}; then `systemctl restart kubelet`", refused.cure());
        Finding::new(refused.to_string(), cure)
    })))
}
