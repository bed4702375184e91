//! `installer inventory`.

use std::io::Write;
use std::path::Path;

use bundle_format::text::{plain_json, stdout};

use super::node;
use crate::node::facts::Facts;
use crate::node::have;
use crate::node::inventory::Inventory;

pub(crate) fn inventory(root: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let inventory = Inventory::take(&node::host(root)?)?;
    let mut out = stdout();
    if json {
        writeln!(out, "{}", plain_json(&format!("{:#}", serde_json::to_value(&inventory)?)))?;
    } else {
        out.write_all(inventory.list().as_bytes())?;
    }
    Ok(())
}

/// `installer inventory --blobs`.
pub(crate) fn blobs() -> anyhow::Result<()> {
    let host = node::host(None)?;
    let have = have::take(&host, Facts::gather(&host)?.host_name)?;
    write!(stdout(), "{}", plain_json(&have.text()?))?;
    Ok(())
}
