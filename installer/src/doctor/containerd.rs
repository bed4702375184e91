//! containerd: its configuration, whether it runs, whether it answers.

use super::{Finding, again, unit};
use crate::host::Host;
use crate::steps::containerd::{PATH, told};
use crate::steps::crictl::SOCKET;
use crate::steps::unit_is;

/// It is told what it cannot read, or not to do CRI.
pub(super) fn configuration(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(told) = told(host)? else {
        let line = again(
            host,
            &["containerd"],
            format!("containerd config default >{PATH} && systemctl restart containerd"),
        );
        return Ok(Some(Finding::new(
            format!("{PATH} is not TOML"),
            format!("mv {PATH} {PATH}.old && {line}"),
        )));
    };
    let by_hand =
        format!("take cri out of disabled_plugins in {PATH}; systemctl restart containerd");
    Ok(told.cri_is_off.then(|| {
        Finding::new(
            format!("containerd's CRI plugin is disabled, in {PATH}"),
            again(host, &["containerd"], by_hand),
        )
    }))
}

/// It does not run.
pub(super) fn stopped(host: &Host) -> anyhow::Result<Option<Finding>> {
    unit::off(host, "containerd", "packages")
}

/// It runs, and kubelet has no answer of it.
pub(super) fn mute(host: &Host) -> anyhow::Result<Option<Finding>> {
    let is_known =
        !unit_is(host, "active", "containerd")? || told(host)?.is_none_or(|told| told.cri_is_off);
    let said = host.query(&format!("crictl --runtime-endpoint {SOCKET} version"));
    // Without crictl nobody can say.
    if is_known || said.succeeded() || said.status == Some(127) {
        return Ok(None);
    }
    Ok(Some(Finding::new(
        "containerd runs, but does not answer CRI",
        "systemctl restart containerd",
    )))
}
