//! `installer inventory`.

use std::io::Write;
use std::path::Path;

use bundle_format::text::{plain_json, stdout};

use super::node;
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
