//! The cgroup driver: kubelet and containerd must have the same.

use bundle_format::cluster::CgroupDriver;

use super::finding::{Finding, again};
use super::kubelet;
use crate::host::Host;
use crate::node::containerd::told;
use crate::node::paths;
use crate::receipt::StepName;

pub(super) fn differs(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(settings) = kubelet::configuration(host)? else { return Ok(None) };
    let Ok(told) = told(host)? else { return Ok(None) };
    let path = &told.path;
    // kubelet's own default (kubernetes.io, "kubelet configuration (v1beta1)").
    let ours = settings.get("cgroupDriver").and_then(|driver| driver.as_str());
    let ours = ours.unwrap_or("cgroupfs");
    let differs = |(_, theirs): &(String, CgroupDriver)| ours != theirs.to_string();
    let Some(place) = told.drivers.iter().position(differs) else { return Ok(None) };
    let Some((runtime, theirs)) = told.drivers.get(place).cloned() else { return Ok(None) };
    let is_default = runtime == told.runtime;
    // Use systemd wherever it is process 1, as on all our nodes (kubernetes.io,
    // "Container Runtimes").
    let cure = if is_default && theirs == CgroupDriver::Systemd {
        let file = paths::KUBELET_CONFIG;
        let edit = if settings.contains_key("cgroupDriver") {
            format!("sed -i 's/^cgroupDriver:.*/cgroupDriver: systemd/' {file}")
        } else {
            format!("echo 'cgroupDriver: systemd' >>{file}")
        };
        format!("{edit} && systemctl restart kubelet")
    } else if is_default && is_plain(&host.read(path)?.unwrap_or_default()) {
        let edit = "sed -i 's/SystemdCgroup = false/SystemdCgroup = true/'";
        format!("{edit} {path} && systemctl restart containerd")
    } else {
        let switch = format!("SystemdCgroup = {}", theirs != CgroupDriver::Systemd);
        let by_hand =
            format!("write {switch} for {runtime} in {path}; systemctl restart containerd");
        again(host, &[StepName::Containerd], by_hand)
    };
    let whose = if is_default { String::new() } else { format!(" for the runtime {runtime}") };
    let cause = format!("kubelet's cgroup driver is {ours}, and containerd's{whose} is {theirs}");
    Ok(Some(Finding::new(cause, cure)))
}

/// Whether the file itself sets the driver, exactly once.
fn is_plain(text: &str) -> bool {
    text.matches("SystemdCgroup = false").count() == 1 && !text.contains("imports")
}
