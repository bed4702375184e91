//! `installer token`.

use std::io::Write;
use std::path::Path;

use anyhow::{anyhow, bail};
use bundle_format::text::stderr;
use distribution::site::Reach;

use super::node;
use super::options::Source;
use super::output::{self, JOIN_FILE, secret};
use super::place::Place;
use crate::cluster_file::{self, ClusterFile};
use crate::failure::Failure;
use crate::host::Host;
use crate::node::join::{self, ForMaster, JoinFile, Machine, Master};
use crate::node::paths::{ADMIN_CONF, JOINED};
use crate::node::{registered, static_pod};
use crate::role::{Role, no_master};

/// What a sample is of.
pub(super) struct Of<'a> {
    /// The cluster file.
    pub(super) config: Option<&'a Path>,
    /// The bundle.
    pub(super) bundle: Option<&'a Path>,
}

/// Makes a sample join file: of this master's cluster, or else to rehearse a node anywhere.
pub(crate) fn sample(role: Role, of: &Of<'_>, output: Option<&Path>) -> anyhow::Result<()> {
    check_output(output)?;
    let host = node::host_past_receipt();
    let join = match of.config.is_none() && host.exists(ADMIN_CONF) {
        true => sample_of_cluster(&host, role)?,
        false => sample_of_file(role, of)?,
    };
    secret(output, &join.text()?, "join file")
}

/// Fails before a token is made if the join file would replace something else, or the one that
/// says what this node's cluster is.
fn check_output(output: Option<&Path>) -> anyhow::Result<()> {
    output.map_or(Ok(()), |path| output::check(path, &JOIN_FILE, &[join::path(), JOINED.into()]))
}

/// What this master and the API server know.
fn sample_of_cluster(host: &Host, role: Role) -> anyhow::Result<JoinFile> {
    let join = known(host, JoinFile::kept(host)?).into_sample()?;
    if role == Role::Worker {
        return Ok(join);
    }
    refuse_own_address(&join.endpoint, &join.all_masters())?;
    Ok(join.for_master(ForMaster::sample(static_pod::kubernetes(host)?)))
}

/// What a cluster file and a bundle say.
fn sample_of_file(role: Role, of: &Of<'_>) -> anyhow::Result<JoinFile> {
    let file = of.config.map(ClusterFile::load).transpose()?;
    let open = |path: &Path| {
        let (bundle, reach) = ([Place::Path(path.to_owned())], Reach::default());
        node::bundle(&Source { bundle: &bundle, reach, trusted_key: &[] })
    };
    let bundle = of.bundle.map(open).transpose()?;
    let defaults = bundle.as_ref().map(node::of_bundle).unwrap_or_default();
    let cluster = cluster_file::effective(&defaults, file.as_ref())?;
    let join = JoinFile::sample(cluster)?;
    if role == Role::Worker {
        return Ok(join);
    }
    refuse_own_address(&join.endpoint, &[join.maker()])?;
    match defaults.kubernetes {
        Some(kubernetes) => Ok(join.for_master(ForMaster::sample(kubernetes))),
        None => Err(Failure::new(
            "a sample for masters has the version of Kubernetes, which only the bundle knows",
            "give the bundle with --bundle",
        )
        .into()),
    }
}

/// Makes a join file like the one that the run wrote, with a new token.
pub(crate) fn token(role: Role, hours: Option<u32>, output: Option<&Path>) -> anyhow::Result<()> {
    check_output(output)?;
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
    refuse_own_address(&endpoint, &masters)?;
    let own = ForMaster::make(host)?;
    let note = "one such file is good for all further masters; those made before are no longer";
    writeln!(stderr(), "note: {note}")?;
    Ok(made(host, join::HOURS_OF_KEYS)?.for_master(own))
}

/// Fails if the cluster cannot have a further master.
fn refuse_own_address(endpoint: &str, masters: &[Master]) -> Result<(), Failure> {
    let Some(owner) = masters.iter().find(|master| master.owns(endpoint)) else { return Ok(()) };
    Err(Failure::new(
        format!(
            "all nodes look for the API server at {endpoint}, which is {} alone: if it fails, \
             another master would not help",
            owner.name
        ),
        "a cluster whose first master was made with `controlPlane` or `endpoint` in the cluster \
         file can have more; `installer manual masters` says what that takes",
    ))
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
    let JoinFile { endpoint, master, master_address, masters, cluster, machines, .. } =
        known(host, old);
    let made =
        JoinFile::of_command(&said.stdout, hours, endpoint, master, master_address, cluster)?;
    Ok(made.knowing(machines).with_masters(masters))
}

/// A join file with the machines and masters that the API server knows now; if it does not
/// answer, with those of before.
fn known(host: &Host, old: JoinFile) -> JoinFile {
    let machines = Machine::registered(host);
    let machines = if machines.is_empty() { old.machines.clone() } else { machines };
    let masters = registered::masters(host).unwrap_or_else(|_| old.masters.clone());
    old.knowing(machines).with_masters(masters)
}
