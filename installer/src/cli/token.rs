//! `installer token`.

use std::path::Path;

use anyhow::bail;

use super::node;
use super::output::secret;
use crate::cluster_file::{self, ClusterFile, OfBundle};
use crate::node::join::{self, JoinFile, Machine};
use crate::node::paths::ADMIN_CONF;
use crate::role::no_master;

/// Makes a sample join file, to rehearse a worker anywhere.
pub(crate) fn sample(config: Option<&Path>, output: Option<&Path>) -> anyhow::Result<()> {
    let file = config.map(ClusterFile::load).transpose()?;
    let cluster = cluster_file::effective(&OfBundle::default(), file.as_ref())?;
    secret(output, &JoinFile::sample(cluster)?.text()?, "join file")
}

/// Makes a join file like the one that the run wrote, with a new token.
pub(crate) fn token(hours: u32, output: Option<&Path>) -> anyhow::Result<()> {
    let host = node::host(None)?;
    if !host.exists(ADMIN_CONF) {
        return Err(no_master().into());
    }
    let old = JoinFile::kept(&host)?;
    let said = host.ask(&join::token_command(hours));
    if !said.succeeded() {
        bail!("`kubeadm token create` failed: {}", said.stderr.trim());
    }
    let machines = Machine::registered(&host);
    let text = JoinFile::of_command(
        &said.stdout,
        hours,
        old.endpoint,
        old.master,
        old.master_address,
        old.cluster,
    )?
    .knowing(if machines.is_empty() { old.machines } else { machines })
    .text()?;
    secret(output, &text, "join file")
}
