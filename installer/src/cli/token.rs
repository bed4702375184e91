//! `installer token`.

use std::io::Write;
use std::path::Path;

use anyhow::{anyhow, bail};
use bundle_format::text::stderr;

use super::node;
use super::output::secret;
use crate::cluster_file::{self, ClusterFile, OfBundle};
use crate::failure::Failure;
use crate::host::Host;
use crate::node::join::{self, ForMaster, JoinFile, Machine};
use crate::node::paths::ADMIN_CONF;
use crate::node::registered;
use crate::role::{Role, no_master};

/// Makes a sample join file, to rehearse a worker anywhere.
pub(crate) fn sample(config: Option<&Path>, output: Option<&Path>) -> anyhow::Result<()> {
    let file = config.map(ClusterFile::load).transpose()?;
    let cluster = cluster_file::effective(&OfBundle::default(), file.as_ref())?;
    secret(output, &JoinFile::sample(cluster)?.text()?, "join file")
}

/// Makes a join file like the one that the run wrote, with a new token.
pub(crate) fn token(role: Role, hours: Option<u32>, output: Option<&Path>) -> anyhow::Result<()> {
    let host = node::host(None)?;
    if !host.exists(ADMIN_CONF) {
        return Err(no_master().into());
    }
    let file = match (role, hours) {
        (Role::Worker, hours) => made(&host, hours.unwrap_or(join::HOURS))?,
        (Role::Master, None) => for_master(&host)?,
        (Role::Master, Some(_)) => {
            return Err(Failure::new(
                "a join file for masters is valid for two hours: kubeadm keeps the keys no longer",
                "leave out --hours",
            )
            .into());
        }
    };
    secret(output, &file.text()?, "join file")
}

/// A join file for a further master.
fn for_master(host: &Host) -> anyhow::Result<JoinFile> {
    let endpoint = JoinFile::kept(host)?.endpoint;
    let masters = registered::masters(host).map_err(unknown_masters)?;
    if let Some(owner) = masters.iter().find(|master| master.owns(&endpoint)) {
        return Err(Failure::new(
            format!(
                "all nodes look for the API server at {endpoint}, which is {} alone: if it fails, \
                 another master would not help",
                owner.name
            ),
            "a cluster whose first master was made with `controlPlane` or `endpoint` in the cluster \
             file can have more; `installer manual masters` says what that takes",
        )
        .into());
    }
    let own = ForMaster::make(host)?;
    let note = "one such file is good for all further masters; those made before are no longer";
    writeln!(stderr(), "note: {note}")?;
    Ok(made(host, join::HOURS_OF_KEYS)?.for_master(own))
}

fn unknown_masters(reason: String) -> anyhow::Error {
    anyhow!("the API server does not say which nodes are masters: {reason}")
}

/// A join file with a new token, of what this master and the API server know.
fn made(host: &Host, hours: u32) -> anyhow::Result<JoinFile> {
    let old = JoinFile::kept(host)?;
    let said = host.ask(&join::token_command(hours));
    if !said.succeeded() {
        bail!("`kubeadm token create` failed: {}", said.stderr.trim());
    }
    let machines = Machine::registered(host);
    let made = JoinFile::of_command(
        &said.stdout,
        hours,
        old.endpoint,
        old.master,
        old.master_address,
        old.cluster,
    )?;
    let masters = registered::masters(host).unwrap_or(old.masters);
    let machines = if machines.is_empty() { old.machines } else { machines };
    Ok(made.knowing(machines).with_masters(masters))
}
