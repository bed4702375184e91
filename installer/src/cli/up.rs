//! `installer up`: all nodes of a cluster file.

use std::io::Write;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::cluster::{Cluster, NodeName};
use bundle_format::signature;
use bundle_format::text::{count, indented, printable, stderr, stdout};
use clap::Args;

use super::ended::confirmed;
use super::options::{Source, node_name};
use super::{install, node};
use crate::cluster_file::{self, ClusterFile, OfBundle};
use crate::exec::system::SystemExec;
use crate::failure::Failure;
use crate::node::facts::networks;
use crate::node::join::JoinFile;
use crate::role::Role;
use crate::site::carried::Carried;
use crate::site::connection::Sockets;
use crate::site::foreseen::{self, Plan};
use crate::site::machine::{Machine, machines};
use crate::site::met::{Met, Site};
use crate::site::outcome::{End, Outcome};
use crate::site::problem::{Problem, grouped};
use crate::site::run::{self, Planned};

/// What is to be done with which nodes.
#[derive(Args)]
pub(crate) struct Wanted {
    /// The cluster file, whose `nodes` have a role each
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The bundle, any of its parts, or the folder it is in; the only one beside this
    /// program if left out
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Take the bundle only if one of the keys in this file has signed it; repeat the
    /// option for more files. Keys in /etc/kubeferry/trusted.pub count always
    #[arg(long, value_name = "FILE")]
    trusted_key: Vec<PathBuf>,
    /// Only these nodes, by their names
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = node_name)]
    only: Vec<NodeName>,
    /// How many nodes at a time; masters are made one by one
    #[arg(long, value_name = "N", default_value = "8")]
    parallel: NonZeroU8,
    /// Print the plan of each node, and change nothing but the copies of installer and bundle
    #[arg(long, conflicts_with_all = ["yes", "status"])]
    dry_run: bool,
    /// Only say what each node is
    #[arg(long, conflicts_with_all = ["yes", "bundle", "trusted_key"])]
    status: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What was read on this machine.
struct Read {
    cluster: Cluster,
    machines: Vec<Machine>,
    carried: Carried,
    /// None for a question that needs no bundle.
    bundle: Option<Bundle>,
}

pub(crate) fn up(wanted: &Wanted) -> anyhow::Result<()> {
    let read = read(wanted)?;
    let exec = SystemExec { root: None };
    let sockets = Sockets::create(&runtime())?;
    let names = read.machines.iter().map(|machine| machine.name.to_string().len());
    let width = names.max().unwrap_or(0);
    let tell = |machine: &Machine, line: &str| {
        let line = format!("{:width$}  {}\n", machine.name.to_string(), printable(line));
        drop(stderr().write_all(line.as_bytes()));
    };
    let here = here();
    let site = Site {
        exec: &exec,
        sockets: &sockets,
        machines: &read.machines,
        here: &here,
        carried: &read.carried,
        parallel: usize::from(wanted.parallel.get()),
        tell: &tell,
    };
    let Some(bundle) = &read.bundle else { return status(&site, width) };
    let (met, problems) = site.meet();
    refuse(&problems)?;
    refuse_without_master(&met)?;
    refuse(&site.supply(&met))?;
    let nodes: Vec<&Met<'_>> = met.iter().filter(|node| node.machine.is_meant).collect();
    let sample = JoinFile::sample(read.cluster.clone())?.text()?;
    let foreseen = foreseen::foresee(&site, &nodes, &met, &sample);
    tell_problems("warning", &foreseen.warnings)?;
    refuse(&foreseen.problems)?;
    let plans = nodes.iter().copied().zip(foreseen.plans.iter().flatten());
    let planned: Vec<Planned<'_, '_>> = plans.collect();
    show(bundle, &planned, width, wanted.dry_run)?;
    if planned.iter().all(run::is_done) {
        return Ok(());
    }
    tell_of_one_master(&read.cluster, &met)?;
    if wanted.dry_run {
        writeln!(stderr(), "nothing was changed")?;
        return Ok(());
    }
    if !(wanted.yes || confirmed("Do this on all of them?")?) {
        return Ok(());
    }
    finished(&run::make(&site, &planned, &met), width)
}

/// Reads the files that were named, and what nodes will get.
fn read(wanted: &Wanted) -> anyhow::Result<Read> {
    let text = cluster_file::text(&wanted.config)?;
    let file = ClusterFile::of_text(&wanted.config, &text)?;
    let program = std::env::current_exe().context("finding this program's file")?;
    let carried = Carried::program(&program)?;
    if wanted.status {
        let cluster = cluster_file::effective(&OfBundle::default(), Some(&file))?;
        let machines = machines(&cluster, &wanted.only)?;
        let carried = carried.with_others(&[folder(&program)])?;
        return Ok(Read { cluster, machines, carried, bundle: None });
    }
    let Wanted { bundle, trusted_key, .. } = wanted;
    let source = Source { bundle: bundle.as_deref(), trusted_key, allow_older: false };
    let bundle = node::bundle(&source)?;
    let cluster = cluster_file::effective(&node::of_bundle(&bundle), Some(&file))?;
    let machines = machines(&cluster, &wanted.only)?;
    let mut files: Vec<PathBuf> = bundle.paths().map(absolute).collect::<anyhow::Result<_>>()?;
    let keys: Vec<PathBuf> =
        trusted_key.iter().map(|key| absolute(key)).collect::<anyhow::Result<_>>()?;
    let first = files.first().cloned().unwrap_or_default();
    files.extend(Some(signature::path_of(&first)).filter(|path| path.is_file()));
    let carried = carried
        .with_others(&[folder(&first), folder(&program)])?
        .with_bundle(&files, &keys, text)?;
    Ok(Read { cluster, machines, carried, bundle: Some(bundle) })
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("/"))
}

fn absolute(path: impl AsRef<Path>) -> anyhow::Result<PathBuf> {
    let path = path.as_ref();
    std::path::absolute(path).with_context(|| format!("finding {}", path.display()))
}

/// The folder for what is gone after a run: the user's own, or that of the system.
fn runtime() -> PathBuf {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    own.filter(|folder| folder.is_dir()).unwrap_or_else(|| "/run".into())
}

/// This machine's addresses, because it may be one of the nodes. One that it does not know is
/// reached by ssh, which works as well.
fn here() -> Vec<IpAddr> {
    let found = networks(&node::host_past_receipt()).unwrap_or_default();
    found.into_iter().map(|(_, network)| network.addr().into()).collect()
}

fn tell_problems(word: &str, problems: &[Problem]) -> std::io::Result<()> {
    for (nodes, problem) in grouped(problems) {
        let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
        let (what, cure) = (indented(&problem.what), indented(&problem.cure));
        writeln!(stderr(), "{word}: {}: {what}\n  hint: {cure}", names.join(", "))?;
    }
    Ok(())
}

/// Prints all problems, and fails if there are any.
fn refuse(problems: &[Problem]) -> anyhow::Result<()> {
    tell_problems("problem", problems)?;
    if problems.is_empty() {
        return Ok(());
    }
    let mut nodes: Vec<String> = problems.iter().map(|problem| problem.node.to_string()).collect();
    nodes.sort();
    nodes.dedup();
    let what = format!(
        "{} in the way on {}; no node was changed",
        match problems.len() {
            1 => "a problem is".to_owned(),
            many => format!("{many} problems are"),
        },
        count(nodes.len(), "node")
    );
    Err(Failure::new(what, "solve them, or name the other nodes with --only").into())
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
            "no master that answers is in its cluster yet",
            "name a master with --only too",
        )),
    }
}

/// A cluster whose first master is made now, without an address for several.
fn tell_of_one_master(cluster: &Cluster, met: &[Met<'_>]) -> std::io::Result<()> {
    let is_made = met.iter().any(|node| {
        node.machine.role == Role::Master && node.standing.is_in_cluster()
    });
    if is_made || cluster.told_endpoint().is_some() {
        return Ok(());
    }
    install::one_master_for_good()
}

/// Prints what each node is.
fn status(site: &Site<'_>, width: usize) -> anyhow::Result<()> {
    let (met, problems) = site.meet();
    let mut out = stdout();
    for node in met.iter().filter(|node| node.machine.is_meant) {
        let name = node.machine.name.to_string();
        writeln!(out, "{name:width$}  {}", printable(&node.standing.words()))?;
    }
    tell_problems("problem", &problems)?;
    let meant = site.machines.iter().filter(|machine| machine.is_meant).count();
    let well = met.iter().filter(|node| node.machine.is_meant && node.standing.is_well()).count();
    if well < meant {
        bail!(Failure::new(
            format!("{} of {} not Ready", meant - well, count(meant, "node")),
            "`installer doctor` on such a node says why",
        ));
    }
    Ok(())
}

/// Prints the one plan: a line a node, or each change.
fn show(
    bundle: &Bundle,
    planned: &[Planned<'_, '_>],
    width: usize,
    is_whole: bool,
) -> std::io::Result<()> {
    let mut out = stdout();
    let lock = bundle.lock();
    let nodes = count(planned.len(), "node");
    writeln!(out, "Kubernetes {} from the bundle {} on {nodes}", lock.kubernetes, lock.name)?;
    match bundle.signed() {
        Some(signed) => writeln!(out, "the bundle is signed: {signed}")?,
        None => writeln!(out, "no signature was asked for, because no key is trusted here")?,
    }
    for one in planned {
        let (node, plan) = one;
        let Machine { name, role, address, .. } = node.machine;
        let name = name.to_string();
        let is = match (run::is_done(one), node.standing.is_in_cluster()) {
            (true, _) => format!("is a {role} already; nothing to do"),
            (false, true) => format!("is a {role}; {}", count(plan.changes(), "change")),
            (false, false) => format!("becomes a {role}; {}", count(plan.changes(), "change")),
        };
        writeln!(out, "{name:width$}  {address}  {is}")?;
        if is_whole {
            show_changes(plan, width)?;
        }
    }
    Ok(())
}

fn show_changes(plan: &Plan, width: usize) -> std::io::Result<()> {
    let mut out = stdout();
    for step in plan.steps.iter().filter(|step| !step.changes.is_empty()) {
        writeln!(out, "{:width$}    {}", "", printable(&step.step))?;
        for change in &step.changes {
            writeln!(out, "{:width$}      {}", "", printable(change))?;
        }
    }
    Ok(())
}

/// Prints how it ended for each node.
fn finished(outcomes: &[Outcome], width: usize) -> anyhow::Result<()> {
    let mut out = stdout();
    for outcome in outcomes {
        let words = match &outcome.end {
            End::Already => "was done already".to_owned(),
            End::Done(words, seconds) => format!("{}, {seconds} s in all", printable(words)),
            End::Failed(words) => {
                format!("failed\n    {}", indented(words))
            }
            End::Left(why) => format!("was not begun: {}", printable(why)),
        };
        writeln!(out, "{:width$}  {words}", outcome.node.to_string())?;
    }
    let bad: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.is_good())
        .map(|outcome| outcome.node.to_string())
        .collect();
    if bad.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        format!("{} of {} not done: {}", bad.len(), count(outcomes.len(), "node"), bad.join(", ")),
        "mend that, and type the same line again: it goes on with what is missing",
    )
    .into())
}
