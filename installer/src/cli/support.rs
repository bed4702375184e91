//! `installer support`.

use std::io::Write;
use std::path::Path;

use bundle_format::text::{count, stderr};
use rustix::process::geteuid;

use super::{node, output};
use crate::failure::Failure;
use crate::support;

/// Writes what a supporter needs of this node.
pub(crate) fn support(path: &Path) -> anyhow::Result<()> {
    output::check(path, &support::KIND, &[])?;
    if !geteuid().is_root() {
        return Err(Failure::new(
            "only root can look at everything",
            "run this with `sudo`, or as root",
        )
        .into());
    }
    let (texts, missing) = support::make(&node::host_past_receipt(), path)?;
    writeln!(
        stderr(),
        "{}: {}; {missing} were not to be had; READ-ME-FIRST.txt lists all",
        path.display(),
        count(texts, "text"),
    )?;
    Ok(())
}
