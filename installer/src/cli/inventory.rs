//! `installer inventory`.

use std::io::Write;
use std::path::Path;

use bundle_format::output::standard_output;

use super::node;
use crate::inventory::Inventory;

pub(crate) fn inventory(root: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let inventory = Inventory::take(&node::host(root)?)?;
    let mut out = standard_output();
    if json {
        writeln!(out, "{:#}", serde_json::to_value(&inventory)?)?;
    } else {
        out.write_all(inventory.list().as_bytes())?;
    }
    Ok(())
}
