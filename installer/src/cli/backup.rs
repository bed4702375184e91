//! `installer backup`.

use std::io::Write;
use std::path::Path;

use bundle_format::text::{count, printable, stderr};

use super::node;
use crate::backup;
use crate::node::paths::ADMIN_CONF;
use crate::role::no_master;

/// Writes a backup of this master's cluster.
pub(crate) fn backup(output: &Path) -> anyhow::Result<()> {
    let host = node::host(None)?;
    if !host.exists(ADMIN_CONF) {
        return Err(no_master().into());
    }
    let (made, left_out) = backup::make(&host, output)?;
    for one in left_out {
        writeln!(stderr(), "warning: not in the backup: {}", printable(&one))?;
    }
    writeln!(
        stderr(),
        "{}: Kubernetes {} of {}, etcd at revision {}, and {}; whoever has it has the cluster",
        output.display(),
        made.kubernetes,
        made.master,
        made.snapshot.revision,
        count(made.files.len(), "file"),
    )?;
    Ok(())
}
