//! `installer token`.

use std::path::Path;

use anyhow::bail;

use super::node;
use super::output::secret;
use crate::cluster_file::{self, ClusterFile, OfBundle};
use crate::failure::Failure;
use crate::join::JoinFile;
use crate::role::no_master;
use crate::steps::join_file;
use crate::steps::kubeconfig::ADMIN;

/// Makes a sample, by which a worker can be rehearsed anywhere.
pub(crate) fn sample(config: Option<&Path>, output: Option<&Path>) -> anyhow::Result<()> {
    let file = config.map(ClusterFile::load).transpose()?;
    let cluster = cluster_file::effective(&OfBundle::default(), file.as_ref())?;
    secret(output, &JoinFile::sample(cluster)?.text()?, "join file")
}

/// Makes a join file like the one that the run has left, with a new token.
pub(crate) fn token(hours: u32, output: Option<&Path>) -> anyhow::Result<()> {
    let host = node::host(None)?;
    if !host.exists(ADMIN) {
        return Err(no_master().into());
    }
    let Some(old) = host.read(join_file::path())? else {
        bail!(Failure::new(
            format!("{} is gone, by which this makes others", join_file::path().display()),
            "`installer --role master --only join-file` writes it anew; give --config as before"
        ));
    };
    let old = JoinFile::parse(&old, &join_file::path())?;
    let said = host.ask(&join_file::command(hours));
    if !said.succeeded() {
        bail!("`kubeadm token create` failed: {}", said.stderr.trim());
    }
    let text = JoinFile::of_command(
        &said.stdout,
        hours,
        old.endpoint,
        old.master,
        old.master_address,
        old.cluster,
    )?
    .text()?;
    secret(output, &text, "join file")
}
