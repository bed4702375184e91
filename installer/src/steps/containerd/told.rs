//! What containerd is told, of what kubelet depends on.

use bundle_format::cluster::CgroupDriver;
use toml_edit::{DocumentMut, Item, TableLike};

use super::PATH;
use super::edit::{is_cri, keys};
use crate::host::Host;

/// What it is told.
pub(crate) struct Told {
    /// Whether CRI is switched off.
    pub(crate) cri_is_off: bool,
    /// The sandbox image, where it is named.
    pub(crate) sandbox: Option<String>,
    /// Who makes control groups; none where the file is too old to say.
    pub(crate) driver: Option<CgroupDriver>,
}

/// Reads the configuration; none where it is no TOML. What it does not say is as
/// containerd has it then.
pub(crate) fn told(host: &Host) -> anyhow::Result<Option<Told>> {
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
