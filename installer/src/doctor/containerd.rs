//! containerd: its configuration, whether it runs, whether it answers.

use super::finding::{Finding, again};
use super::unit;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::containerd::{refusal, source, told};
use crate::node::paths::CRI_SOCKET;
use crate::node::systemd::unit_is;
use crate::receipt::StepName;

/// containerd cannot read its configuration, or it switches CRI off.
pub(super) fn configuration(host: &Host) -> anyhow::Result<Option<Finding>> {
    let told = match told(host)? {
        Ok(told) => told,
        Err(failure) => return unreadable(host, &failure).map(Some),
    };
    let path = &told.path;
    let by_hand =
        format!("remove cri from disabled_plugins in {path}; systemctl restart containerd");
    Ok(told.cri_is_off.then(|| {
        Finding::new(
            format!("containerd's CRI plugin is disabled, in {path}"),
            again(host, &[StepName::Containerd], by_hand),
        )
    }))
}

/// If the file alone is no TOML, the cure is to have a new one written.
fn unreadable(host: &Host, failure: &Failure) -> anyhow::Result<Finding> {
    let path = source(host)?.path;
    let cause = failure.to_string();
    let text = host.read(&path)?.unwrap_or_default();
    if text.parse::<toml_edit::DocumentMut>().is_ok() {
        return Ok(Finding::new(
            cause,
            format!("{}; systemctl restart containerd", failure.cure()),
        ));
    }
    let by_hand = format!("containerd config default >{path} && systemctl restart containerd");
    let line = again(host, &[StepName::Containerd], by_hand);
    Ok(Finding::new(cause, format!("mv {path} {path}.old && {line}")))
}

/// containerd does not run.
pub(super) fn stopped(host: &Host) -> anyhow::Result<Option<Finding>> {
    unit::off(host, "containerd", StepName::Packages)
}

/// containerd runs, and CRI does not answer.
pub(super) fn mute(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !unit_is(host, "active", "containerd")? {
        return Ok(None);
    }
    let Ok(told) = told(host)? else { return Ok(None) };
    let said = host.query(&format!("crictl --runtime-endpoint {CRI_SOCKET} version"));
    if told.cri_is_off || said.succeeded() {
        return Ok(None);
    }
    let restart = "systemctl restart containerd";
    if let Some(reason) = refusal(host) {
        let path = &told.path;
        // Keys that the installer's step takes out of the configuration, or
        // moves.
        let known = ["config_path", "systemd_cgroup", "no_pivot", "runtime_engine", "runtime_root"];
        let by_hand = format!("fix that in {path}, or in a file that it imports");
        let line = if known.iter().any(|word| reason.contains(word)) {
            again(host, &[StepName::Containerd], by_hand)
        } else {
            by_hand
        };
        let cause = format!("containerd's CRI did not load, because of {path}: {reason}");
        return Ok(Some(Finding::new(cause, format!("{line} && {restart}"))));
    }
    // Only crictl can ask CRI.
    let has_crictl = said.status != Some(127);
    Ok(has_crictl.then(|| Finding::new("containerd runs, but does not answer CRI", restart)))
}
