//! The sandbox image. Without it no pod starts.

use super::finding::{Finding, again};
use crate::host::Host;
use crate::node::containerd::told;
use crate::node::systemd::unit_is;
use crate::receipt::StepName;
use crate::steps::images;

pub(super) fn missing(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Ok(told) = told(host)? else { return Ok(None) };
    let (path, Some(wanted)) = (told.path, told.sandbox) else { return Ok(None) };
    let is_active = unit_is(host, "active", "containerd")?;
    let images = images::whole(host).filter(|_| is_active);
    let Some(images) = images.filter(|images| !images.contains(&wanted)) else {
        return Ok(None);
    };
    let other = images.iter().find(|name| name.contains("/pause:"));
    let by_hand = match other {
        Some(other) => format!("write {other} for it in {path}; systemctl restart containerd"),
        None => format!("ctr -n k8s.io images import FILE, of a file that has {wanted}"),
    };
    // Either can be wrong: the name in the configuration, or the images.
    Ok(Some(Finding::new(
        format!("the sandbox image {wanted}, which {path} names, is not on this node"),
        again(host, &[StepName::Containerd, StepName::Images], by_hand),
    )))
}
