//! kubelet, and what it is told.

use std::net::Ipv4Addr;

use anyhow::Context;
use serde_json::{Map, Value};

use super::{Finding, unit};
use crate::host::Host;
use crate::node::kubelet_arguments;
use crate::node::paths::KUBELET_CONFIG;
use crate::receipt::StepName;

/// What stands in its configuration; none where there is none.
pub(super) fn configuration(host: &Host) -> anyhow::Result<Option<Map<String, Value>>> {
    let Some(text) = host.read(KUBELET_CONFIG)? else { return Ok(None) };
    let settings = serde_saphyr::from_str(&text).ok();
    settings.map(Some).with_context(|| format!("reading {KUBELET_CONFIG}: it is not YAML"))
}

/// The address that kubeadm told it; none where that is not known.
pub(super) fn address(host: &Host) -> anyhow::Result<Option<Ipv4Addr>> {
    let text = host.read(kubelet_arguments::KUBEADM)?.unwrap_or_default();
    let words = text.split(|sign: char| sign.is_whitespace() || sign == '"');
    let mut addresses = words.filter_map(|word| word.strip_prefix("--node-ip=")?.parse().ok());
    Ok(addresses.next())
}

/// It does not run.
pub(super) fn stopped(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(off) = unit::off(host, "kubelet", StepName::Packages)? else { return Ok(None) };
    // Its log has no more than a stack for that.
    let refused = kubelet_arguments::refused(host)?;
    Ok(Some(refused.map_or(off, |refused| {
        let cure = format!("{}; then `systemctl restart kubelet`", refused.cure());
        Finding::new(refused.to_string(), cure)
    })))
}
