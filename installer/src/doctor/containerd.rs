//! containerd: its configuration, whether it runs, whether it answers.

use toml_edit::{DocumentMut, Item, TableLike};

use super::{Finding, again, unit};
use crate::cluster::CgroupDriver;
use crate::host::Host;
use crate::steps::containerd::{PATH, is_cri, keys};
use crate::steps::crictl::SOCKET;
use crate::steps::unit_is;

/// What containerd is told of what kubelet depends on.
pub(super) struct Told {
    /// Whether CRI is switched off.
    cri_is_off: bool,
    /// The sandbox image, where it is named.
    pub(super) sandbox: Option<String>,
    /// Who makes control groups; none where the file is too old to say.
    pub(super) driver: Option<CgroupDriver>,
}

/// Reads the configuration; none where it is no TOML. What it does not say is as
/// containerd has it then.
pub(super) fn told(host: &Host) -> anyhow::Result<Option<Told>> {
    let text = host.read(PATH)?.unwrap_or_default();
    let Ok(document) = text.parse::<DocumentMut>() else { return Ok(None) };
    let version = document.get("version").and_then(Item::as_integer).unwrap_or(1);
    let keys = keys(version);
    let at = |path: &[&str]| {
        let (key, tables) = path.split_last()?;
        let mut table: &dyn TableLike = document.as_table();
        for name in tables {
            table = table.get(name)?.as_table_like()?;
        }
        table.get(key)
    };
    let systemd = at(&[keys.runc, &["options", "SystemdCgroup"]].concat());
    let systemd = systemd.and_then(Item::as_bool).unwrap_or(false);
    let driver = if systemd { CgroupDriver::Systemd } else { CgroupDriver::Cgroupfs };
    // In version 1 the plugins have other names, which are not read.
    let is_old = version < 2 && document.contains_key("plugins");
    let disabled = document.get("disabled_plugins").and_then(Item::as_array);
    Ok(Some(Told {
        cri_is_off: disabled.is_some_and(|list| list.iter().any(|one| is_cri(one.as_str()))),
        sandbox: at(keys.sandbox).and_then(Item::as_str).map(str::to_owned),
        driver: (!is_old).then_some(driver),
    }))
}

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
    unit::off(host, "containerd")
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
