//! `installer inventory`.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use bundle_format::Digest;
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
    let mut have = have::take(&host, Facts::gather(&host)?.host_name)?;
    // A bundle has its installer too, and here it is.
    let program = File::open("/proc/self/exe").and_then(|mut file| Digest::of_reader(&mut file));
    have.blobs.insert(program.context("reading this program's file")?.0);
    write!(stdout(), "{}", plain_json(&have.text()?))?;
    Ok(())
}
