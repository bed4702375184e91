//! `installer backup`.

use std::io::Write;
use std::num::NonZeroU16;
use std::path::PathBuf;

use anyhow::bail;
use bundle_format::text::{count, printable, stderr};
use clap::Args;

use super::{node, output};
use crate::backup::{self, folder};
use crate::node::join::JoinFile;
use crate::node::paths::ADMIN_CONF;
use crate::role::no_master;

/// Where a backup is written to.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct To {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A folder, in which the file gets a name with this node and the time
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Writes a backup of this master's cluster.
pub(crate) fn backup(to: &To, keep: Option<NonZeroU16>) -> anyhow::Result<()> {
    if let Some(path) = &to.output {
        output::check(path, &backup::KIND, &[])?;
    }
    let host = node::host(None)?;
    if !host.exists(ADMIN_CONF) {
        return Err(no_master().into());
    }
    let name = JoinFile::kept(&host)?.master;
    let file = match (&to.output, &to.folder) {
        (Some(file), _) => file.clone(),
        (None, Some(folder)) => folder::next(folder, &name)?,
        (None, None) => bail!("a backup needs --output or --folder"),
    };
    let (made, left_out) = backup::make(&host, &file)?;
    for one in left_out {
        writeln!(stderr(), "warning: not in the backup: {}", printable(&one))?;
    }
    writeln!(
        stderr(),
        "{}: Kubernetes {} of {}, etcd at revision {}, and {}; whoever has it has the cluster",
        file.display(),
        made.kubernetes,
        made.master,
        made.snapshot.revision,
        count(made.files.len(), "file"),
    )?;
    if let (Some(folder), Some(keep)) = (&to.folder, keep) {
        match folder::thin(folder, &name, keep)? {
            0 => {}
            old => writeln!(stderr(), "removed {}", count(old, "older backup"))?,
        }
    }
    Ok(())
}
