//! Who makes control groups: kubelet and containerd must agree.

use bundle_format::cluster::CgroupDriver;

use super::{Finding, again, kubelet};
use crate::host::Host;
use crate::steps::containerd::{PATH, told};
use crate::steps::kubelet_settings;

pub(super) fn differs(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(settings) = kubelet::configuration(host)? else { return Ok(None) };
    let Some(theirs) = told(host)?.and_then(|told| told.driver) else {
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
    } else if host.read(PATH)?.is_some_and(|text| text.contains("SystemdCgroup = false")) {
        let edit = "sed -i 's/SystemdCgroup = false/SystemdCgroup = true/'";
        format!("{edit} {PATH} && systemctl restart containerd")
    } else {
        let by_hand =
            format!("write SystemdCgroup = true for runc in {PATH}; systemctl restart containerd");
        again(host, &["containerd"], by_hand)
    };
    let cause = format!("kubelet's cgroup driver is {ours}, and containerd's is {theirs}");
    Ok(Some(Finding::new(cause, cure)))
}
