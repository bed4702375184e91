//! `installer up`: all nodes of a cluster file.

mod supplied;
mod told;
mod upgrade;
mod without_bundle;

use std::io::{self, IsTerminal, Write};
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bundle_format::archive::reader::Bundle;
use bundle_format::cluster::{Cluster, NodeName};
use bundle_format::signature;
use bundle_format::text::stderr;
use clap::Args;
use rustix::process::geteuid;

use self::supplied::{asked, supplied};
use self::told::{Told, agreed};
use super::node;
use super::options::{Source, node_name};
use super::place::{Place, ReachOptions, place};
use crate::cluster_file::{self, ClusterFile, OfBundle};
use crate::exec::system::SystemExec;
use crate::failure::Failure;
use crate::node::facts::networks;
use crate::node::join::JoinFile;
use crate::role::Role;
use crate::site::carried::{Carried, Origin};
use crate::site::connection::Sockets;
use crate::site::foreseen::{self, Samples};
use crate::site::machine::{Machine, machines};
use crate::site::met::{Met, Site};
use crate::site::one::{self, Planned};
use crate::site::password::Password;
use crate::site::run;
use crate::site::upgrade::Manner;

/// What is to be done with which nodes.
#[derive(Args)]
pub(crate) struct Wanted {
    /// The cluster file, whose `nodes` have a role each
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The bundle, any of its parts, or the folder it is in; the only one beside this
    /// program if left out. Or oci://HOST/REPOSITORY:TAG, for one in a registry, where each
    /// node reads what it needs
    #[arg(long, value_name = "FILE", value_parser = place())]
    bundle: Option<Place>,
    #[command(flatten)]
    reach: ReachOptions,
    /// Take the bundle only if a trusted key has signed it, and trust the keys in this file.
    /// They are added to those in /etc/kubeferry/trusted.pub and in this program, which count
    /// too. Repeat the option for more files
    #[arg(long, value_name = "FILE")]
    trusted_key: Vec<PathBuf>,
    /// Only these nodes, by their names
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = node_name)]
    only: Vec<NodeName>,
    /// How many nodes at a time: 8 if left out, and 1 for workers that are upgraded. Masters
    /// are made one by one, and copies go from node to node
    #[arg(long, value_name = "N")]
    parallel: Option<NonZeroU8>,
    /// Upgrade the nodes to the bundle's release; their settings stay as they are
    #[arg(long, conflicts_with_all = ["status", "doctor", "reset"])]
    upgrade: bool,
    /// Leave pods on each node while it is upgraded; they keep running
    #[arg(long, requires = "upgrade")]
    no_drain: bool,
    /// Print the plan of each node, and change nothing but the copies of installer and bundle
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Only say what each node is
    #[arg(long, conflicts_with_all = ["doctor", "reset", "dry_run", "yes"])]
    status: bool,
    /// Only find out what is wrong with each node
    #[arg(long, conflicts_with_all = ["reset", "dry_run", "yes"])]
    doctor: bool,
    /// Take back what the installer did to each node
    #[arg(long, conflicts_with = "dry_run")]
    reset: bool,
    /// Ask once for the password with which all nodes let you in by ssh, if they have no key
    /// of yours. sudo there must not ask
    #[arg(long)]
    ask_password: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print how it ended as JSON
    #[arg(long, conflicts_with = "dry_run")]
    json: bool,
}

/// How many nodes at a time, if nobody says it.
const MOST: usize = 8;

/// What was read on this machine.
struct Read {
    cluster: Cluster,
    machines: Vec<Machine>,
    carried: Carried,
    /// None for a question that needs no bundle.
    bundle: Option<Bundle>,
}

pub(crate) fn up(wanted: &Wanted) -> anyhow::Result<()> {
    refuse_without_consent(wanted)?;
    let read = read(wanted)?;
    let exec = SystemExec { root: None };
    let sockets = Sockets::create(&runtime())?.with_password(password(wanted)?);
    let names = read.machines.iter().map(|machine| machine.name.to_string().len());
    let told = Told { width: names.max().unwrap_or(0), json: wanted.json };
    let here = here();
    let site = Site {
        exec: &exec,
        sockets: &sockets,
        machines: &read.machines,
        here: &here,
        carried: &read.carried,
        waits: !(wanted.status || wanted.doctor),
        parallel: wanted.parallel.map_or(MOST, |parallel| usize::from(parallel.get())),
        tell: &|machine, line| told.line(machine, line),
    };
    match &read.bundle {
        Some(bundle) if wanted.upgrade => {
            let manner = Manner {
                workers: wanted.parallel.map_or(1, |parallel| usize::from(parallel.get())),
                drains: !wanted.no_drain,
            };
            let way = upgrade::Way { dry_run: wanted.dry_run, yes: wanted.yes };
            upgrade::upgrade(&way, manner, &site, bundle, &told)
        }
        Some(bundle) => install(wanted, &site, &read.cluster, bundle, &told),
        None if wanted.status => without_bundle::status(&site, &told),
        None if wanted.doctor => without_bundle::doctor(&site, &told),
        None => without_bundle::reset(&site, &told, wanted.yes),
    }
}

/// Asks for the nodes' password, if that is wanted.
fn password(wanted: &Wanted) -> anyhow::Result<Option<Password>> {
    if !wanted.ask_password {
        return Ok(None);
    }
    let typed = rpassword::prompt_password("Password for ssh to the nodes: ");
    let typed = typed.context("no terminal to ask for the password: give the nodes a key")?;
    Password::new(typed).map(Some)
}

/// Fails before anything is done if nobody could be asked in the end.
fn refuse_without_consent(wanted: &Wanted) -> Result<(), Failure> {
    if wanted.yes || wanted.dry_run || wanted.status || wanted.doctor {
        return Ok(());
    }
    if wanted.json {
        let cure = "add --yes; or --status or --doctor, which change nothing";
        return Err(Failure::new("a program that reads --json cannot be asked", cure));
    }
    if !io::stdin().is_terminal() {
        let cure = "add --yes to do it without asking";
        return Err(Failure::new("nobody can be asked, because there is no terminal", cure));
    }
    Ok(())
}

/// Makes all nodes, after one plan and one question.
fn install(
    wanted: &Wanted,
    site: &Site<'_>,
    cluster: &Cluster,
    bundle: &Bundle,
    told: &Told,
) -> anyhow::Result<()> {
    let (met, mut problems) = supplied(site, told)?;
    let nodes = asked(&met, &problems);
    let samples = samples(cluster, bundle)?;
    let foreseen = foreseen::foresee(site, &nodes, &met, &samples);
    told.problems("warning", &foreseen.warnings)?;
    told.problems("problem", &foreseen.problems)?;
    problems.extend(foreseen.problems);
    told.refuse(&problems)?;
    refuse_without_master(&met)?;
    let plans = nodes.iter().copied().zip(foreseen.plans.iter().flatten());
    let planned: Vec<Planned<'_, '_>> = plans.collect();
    told.plan(bundle, &planned, wanted.dry_run)?;
    if planned.iter().all(one::is_done) {
        return told.already(&planned);
    }
    tell_of_one_master(cluster, &met)?;
    if wanted.dry_run {
        writeln!(stderr(), "nothing was changed")?;
        return Ok(());
    }
    agreed(wanted.yes, "Do this on all of them?")?;
    told.finished(&run::make(site, &planned, &met, &samples))
}

/// Join files with which nobody can join.
fn samples(cluster: &Cluster, bundle: &Bundle) -> anyhow::Result<Samples> {
    let kubernetes = bundle.lock().kubernetes.clone();
    Ok(Samples {
        worker: JoinFile::sample(cluster.clone())?.text()?,
        master: JoinFile::sample_for_master(cluster.clone(), kubernetes)?.text()?,
    })
}

/// Reads the files that were named, and what nodes will get.
fn read(wanted: &Wanted) -> anyhow::Result<Read> {
    let text = cluster_file::text(&wanted.config)?;
    let file = ClusterFile::of_text(&wanted.config, &text)?;
    let program = std::env::current_exe().context("finding this program's file")?;
    let carried = Carried::program(&program)?;
    if wanted.status || wanted.doctor || wanted.reset {
        let cluster = cluster_file::effective(&OfBundle::default(), Some(&file))?;
        let mut machines = machines(&cluster, &wanted.only)?;
        machines.retain(|machine| machine.is_meant);
        let carried = carried.with_others(&[folder(&program)])?;
        return Ok(Read { cluster, machines, carried, bundle: None });
    }
    let trusted_key = wanted.trusted_key.as_slice();
    let mut reach = wanted.reach.reach();
    let bundle = node::bundle(&Source {
        bundle: wanted.bundle.as_slice(),
        reach: reach.clone(),
        trusted_key,
    })?;
    let cluster = cluster_file::effective(&node::of_bundle(&bundle), Some(&file))?;
    let machines = machines(&cluster, &wanted.only)?;
    let mut files: Vec<PathBuf> = bundle.paths().map(absolute).collect::<anyhow::Result<_>>()?;
    let keys: Vec<PathBuf> = trusted_key.iter().map(absolute).collect::<anyhow::Result<_>>()?;
    reach.ca = reach.ca.iter().map(absolute).collect::<anyhow::Result<_>>()?;
    let beside = files.first().cloned();
    files.extend(beside.as_deref().map(signature::path_of).filter(|path| path.is_file()));
    let folders: Vec<&Path> = beside.iter().chain([&program]).map(|file| folder(file)).collect();
    let origin = match bundle.address() {
        Some(address) => Origin::Registry(address, &reach),
        None => Origin::Files(&files),
    };
    let carried = carried.with_others(&folders)?.with_bundle(origin, &keys, text)?;
    Ok(Read { cluster, machines, carried, bundle: Some(bundle) })
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("/"))
}

fn absolute(path: impl AsRef<Path>) -> anyhow::Result<PathBuf> {
    let path = path.as_ref();
    std::path::absolute(path).with_context(|| format!("finding {}", path.display()))
}

/// The folder for what is gone after a run: the user's own, that of the system, or at last
/// the one for temporary files, where nobody else can open our folder.
fn runtime() -> PathBuf {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    own.filter(|folder| folder.is_dir()).unwrap_or_else(|| match geteuid().is_root() {
        true => "/run".into(),
        false => std::env::temp_dir(),
    })
}

/// This machine's addresses, because it may be one of the nodes. One that it does not know is
/// reached by ssh, which works as well.
fn here() -> Vec<IpAddr> {
    let found = networks(&node::host_past_receipt()).unwrap_or_default();
    found.into_iter().map(|(_, network)| network.addr().into()).collect()
}

/// Workers need a master that is made, or made now.
fn refuse_without_master(met: &[Met<'_>]) -> Result<(), Failure> {
    let is_one = |node: &Met<'_>| {
        node.machine.role == Role::Master
            && (node.machine.is_meant || node.standing.is_in_cluster())
    };
    match met.iter().any(is_one) {
        true => Ok(()),
        false => Err(Failure::new(
            "all masters of the file answer, and none is in its cluster yet",
            "name the master that is to be the first one with --only too",
        )),
    }
}

/// A cluster whose first master is made now, without an address for several.
fn tell_of_one_master(cluster: &Cluster, met: &[Met<'_>]) -> std::io::Result<()> {
    let is_made =
        met.iter().any(|node| node.machine.role == Role::Master && node.standing.is_in_cluster());
    if is_made || cluster.told_endpoint().is_some() {
        return Ok(());
    }
    super::install::one_master_for_good()
}
