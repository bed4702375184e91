//! Who makes control groups: kubelet and containerd must agree.

use bundle_format::cluster::CgroupDriver;

use super::{Finding, again, kubelet};
use crate::host::Host;
use crate::steps::containerd::told;
use crate::steps::kubelet_settings;

pub(super) fn differs(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(settings) = kubelet::configuration(host)? else { return Ok(None) };
    let Ok(told) = told(host)? else { return Ok(None) };
    let (path, runtime, Some(theirs)) = (told.path, told.runtime, told.driver) else {
        return Ok(None);
    };
    // kubelet's own default (kubernetes.io, "kubelet configuration (v1beta1)").
    let ours = settings.get("cgroupDriver").and_then(|driver| driver.as_str());
    let ours = ours.unwrap_or("cgroupfs");
    if ours == theirs.to_string() {
        return Ok(None);
    }
    // systemd is the one to be had where it is process 1, as on all our nodes
    // (kubernetes.io, "container runtimes").
    let cure = if theirs == CgroupDriver::Systemd {
        let file = kubelet_settings::PATH;
        let edit = if settings.contains_key("cgroupDriver") {
            format!("sed -i 's/^cgroupDriver:.*/cgroupDriver: systemd/' {file}")
        } else {
            format!("echo 'cgroupDriver: systemd' >>{file}")
        };
        format!("{edit} && systemctl restart kubelet")
    } else if is_plain(&host.read(&path)?.unwrap_or_default()) {
        let edit = "sed -i 's/SystemdCgroup = false/SystemdCgroup = true/'";
        format!("{edit} {path} && systemctl restart containerd")
    } else {
        let by_hand = format!(
            "write SystemdCgroup = true for {runtime} in {path}; systemctl restart containerd"
        );
        again(host, &["containerd"], by_hand)
    };
    let cause = format!("kubelet's cgroup driver is {ours}, and containerd's is {theirs}");
    Ok(Some(Finding::new(cause, cure)))
}

/// Whether the switch stands in the file itself, and once.
fn is_plain(text: &str) -> bool {
    text.matches("SystemdCgroup = false").count() == 1 && !text.contains("imports")
}
