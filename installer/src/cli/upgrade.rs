//! `installer upgrade`: to a new bundle.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use bundle_format::text::{count, plain_json, printable, stderr, stdout};
use clap::Args;
use serde_json::json;

use super::ended::{Ended, carried_out, confirmed};
use super::options::Source;
use super::place::{Place, ReachOptions, place};
use super::{going_back, install, node, preflight as told, show, verify};
use crate::cluster_file::{self, ClusterFile};
use crate::engine::run::{self, Planned};
use crate::failure::Failure;
use crate::hop;
use crate::host::{Host, LOG};
use crate::install::Steps;
use crate::intent::{Intent, Upgrading};
use crate::node::facts::Facts;
use crate::node::join::JoinFile;
use crate::node::kubeadm::Kept;
use crate::node::paths::{KUBEADM_CONFIG, KUBEADM_JOINED};
use crate::preflight;
use crate::preflight::upgrading::new_kubeadm::{self, Foreseen};
use crate::receipt::{self, Line, Stage};
use crate::role::Role;
use crate::steps::{self, order};
use crate::target;

/// What is asked for.
#[derive(Args)]
pub(crate) struct Wanted {
    /// The bundle, any of its parts, or the folder it is in; the only one beside this
    /// program if left out. Or oci://HOST/REPOSITORY:TAG, for one in a registry. After a
    /// delta, repeat the option for bundles that have what it lacks
    #[arg(long, value_name = "FILE", value_parser = place())]
    bundle: Vec<Place>,
    #[command(flatten)]
    reach: ReachOptions,
    /// Take the bundle only if a trusted key has signed it, and trust the keys in this file.
    /// They are added to those in /etc/kubeferry/trusted.pub and in this program, which count
    /// too. Repeat the option for more files
    #[arg(long, value_name = "FILE")]
    trusted_key: Vec<PathBuf>,
    /// Take a signed bundle though this node has had a newer one of its name
    #[arg(long)]
    allow_older: bool,
    /// The cluster file; the cluster's settings stay as they are if left out
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The join file from the master, for a worker that keeps none
    #[arg(long, value_name = "FILE")]
    join: Option<PathBuf>,
    /// Bring only the new images in: on each node but the first, before any is upgraded
    #[arg(long, conflicts_with_all = ["back", "finish", "no_drain", "json"])]
    images: bool,
    /// Go back to what this node was before its last upgrade
    #[arg(long, conflicts_with_all = ["bundle", "trusted_key", "allow_older", "config", "join", "no_drain", "json", "finish"])]
    back: bool,
    /// Go back though the newer etcd does not answer: its data are made from the snapshot of
    /// before the upgrade, and what the cluster was told since is lost
    #[arg(long, requires = "back")]
    from_snapshot: bool,
    /// Declare the last upgrade finished: it cannot be taken back any more
    #[arg(long, conflicts_with_all = ["bundle", "trusted_key", "allow_older", "config", "join", "no_drain", "json", "dry_run"])]
    finish: bool,
    /// Leave pods on this node while it is upgraded; they keep running
    #[arg(long)]
    no_drain: bool,
    /// Print the plan, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print the plan as JSON; needs --dry-run
    #[arg(long, requires = "dry_run")]
    json: bool,
}

pub(crate) fn upgrade(wanted: &Wanted) -> Ended {
    let begun = Instant::now();
    if wanted.back {
        return going_back::back(wanted.dry_run, wanted.yes, wanted.from_snapshot);
    }
    if wanted.finish {
        return going_back::finish(wanted.yes);
    }
    if wanted.images {
        return images(wanted);
    }
    carried_out(prepare(wanted), |ready| carry_out(ready, begun))
}

/// Brings only the images in. That changes nothing else, so nothing is asked.
fn images(wanted: &Wanted) -> Ended {
    let agreed = || -> anyhow::Result<Option<(Host, Intent)>> {
        let host = node::host(None)?;
        let mut intent = intent(&host, wanted)?;
        let release = intent.lock().kubernetes.clone();
        intent.bundle = intent.bundle.with_images_from(&release);
        let problems = preflight::of_images(&host, &intent);
        told::tell(&problems)?;
        told::refuse(&problems)?;
        let steps: Steps = vec![&steps::images::Images];
        let plan = run::plan(&host, &intent, &steps)?;
        install::show_changes(&intent, &plan)?;
        if wanted.dry_run {
            writeln!(stderr(), "nothing was changed")?;
            return Ok(None);
        }
        verify::before_changes(&intent.bundle)?;
        Ok(Some((node::begin(host)?, Intent { upgrade: None, ..intent })))
    };
    carried_out(agreed(), |(host, intent)| {
        let steps: Steps = vec![&steps::images::Images];
        install::apply(host, intent, &steps)?;
        writeln!(stdout(), "the images of the bundle {} are here", printable(&intent.lock().name))?;
        Ok(())
    })
}

/// An upgrade that was agreed to.
struct Ready {
    host: Host,
    intent: Intent,
    steps: Steps,
}

/// Looks, shows, asks; none where nothing is to be done.
fn prepare(wanted: &Wanted) -> anyhow::Result<Option<Ready>> {
    let host = node::host(None)?;
    let intent = intent(&host, wanted)?;
    let steps = order::upgrade_of(&intent);
    let plan = match run::plan(&host, &intent, &steps) {
        Ok(plan) => plan,
        Err(error) => {
            told::tell(&preflight::problems(&host, &intent))?;
            return Err(error);
        }
    };
    // A way back may have been cut off before its first change.
    let is_returning =
        receipt::upgrade(host.lines()).is_some_and(|open| open.stage == Stage::Returning);
    let is_done = plan.iter().all(|planned| planned.changes.is_empty()) && !is_returning;
    if is_done && !wanted.json {
        nothing_to_do(host, &intent, &plan, wanted.dry_run)?;
        return Ok(None);
    }
    let (mut problems, mut warnings) = preflight::look(&host, &intent);
    let mut control_plane = Vec::new();
    match new_kubeadm::foresee(&host, &intent) {
        Foreseen::Changes(files) => control_plane = files,
        Foreseen::Refusal(problem) => problems.push(problem),
        Foreseen::Unknown(warning) => warnings.push(warning),
    }
    if wanted.json {
        let mut plan = install::as_json(&intent, &plan);
        plan["controlPlane"] = json!(control_plane);
        if let Some(ended) = hop::ended(&host, &intent.bundle)? {
            plan["ends"] = json!({"from": ended.from, "to": ended.to});
        }
        let plan = told::json(&plan, &problems, &warnings);
        writeln!(stdout(), "{}", plain_json(&format!("{plan:#}")))?;
    } else {
        show(&host, &intent)?;
        install::show_changes(&intent, &plan)?;
        write!(stdout(), "{}", show::control_plane(&control_plane))?;
        write!(stdout(), "{}", show::manifests(&host, &intent, &plan)?)?;
        told::warn(&warnings)?;
        told::tell(&problems)?;
    }
    told::refuse(&problems)?;
    if wanted.dry_run {
        writeln!(stderr(), "nothing was changed")?;
        return Ok(None);
    }
    if !(wanted.yes || confirmed("Do this?")?) {
        return Ok(None);
    }
    verify::before_changes(&intent.bundle)?;
    let mut host = node::begin(host)?;
    if hop::ended(&host, &intent.bundle)?.is_some() {
        going_back::end(&mut host)?;
    }
    Ok(Some(Ready { host, intent, steps }))
}

/// Says that a node has it all, and notes what a run that was killed has not.
fn nothing_to_do(
    host: Host,
    intent: &Intent,
    plan: &[Planned<Intent>],
    dry_run: bool,
) -> anyhow::Result<()> {
    let (to, bundle) = (&intent.lock().kubernetes, &intent.lock().name);
    let is = format!("this node has Kubernetes {to} of the bundle {bundle} already");
    writeln!(stdout(), "{is}; there is nothing to do")?;
    if let Some(next) = hop::following(&intent.bundle) {
        writeln!(stdout(), "next:  when all nodes have it, the same line again, for {next}")?;
    }
    if dry_run {
        return Ok(());
    }
    // It may have been killed right before its end was noted.
    if receipt::upgrade(host.lines()).is_some_and(|open| open.stage == Stage::Begun) {
        return note_made(&mut node::begin(host)?, intent);
    }
    run::settle(host, plan)
}

fn show(host: &Host, intent: &Intent) -> anyhow::Result<()> {
    let (lock, from) = (intent.lock(), intent.upgrade.as_ref().map(|upgrade| &upgrade.from));
    let from = from.map(ToString::to_string).unwrap_or_default();
    let name = printable(&intent.name.to_string());
    let last = intent.bundle.releases().last().filter(|_| intent.bundle.is_hop());
    let way = last.map(|last| format!(", on the way to {last}")).unwrap_or_default();
    writeln!(
        stdout(),
        "{name} ({}), a {} of Kubernetes {from}, gets {} from the bundle {}{way}",
        intent.address,
        intent.role,
        lock.kubernetes,
        printable(&lock.name)
    )?;
    if let Some(ended) = hop::ended(host, &intent.bundle)? {
        writeln!(stdout(), "this finishes the upgrade {ended}, which cannot be taken back then")?;
    }
    Ok(())
}

/// What this node is, from what the installer keeps on it, and what it gets.
fn intent(host: &Host, wanted: &Wanted) -> anyhow::Result<Intent> {
    let role = Role::of_receipt(host.lines()).ok_or_else(|| {
        Failure::new(
            "the installer has not made this node",
            "`installer upgrade` is for nodes that were made with `installer --role`",
        )
    })?;
    let kept =
        Kept::read(host, if role == Role::Master { KUBEADM_CONFIG } else { KUBEADM_JOINED })?;
    let Wanted { bundle, reach, trusted_key, allow_older, .. } = wanted;
    let bundle = node::bundle(&Source { bundle, reach: reach.reach(), trusted_key })?;
    node::refuse_older(host, &bundle, *allow_older)?;
    let join = match (role, &wanted.join) {
        (Role::Master, None) => JoinFile::kept(host)?,
        (Role::Worker, None) => JoinFile::of_worker(host)?,
        (Role::Worker, Some(path)) => JoinFile::load(path)?,
        (Role::Master, Some(_)) => {
            return Err(Failure::new("--join is for workers", "leave it out on a master").into());
        }
    };
    let file = wanted.config.as_deref().map(ClusterFile::load).transpose()?;
    let cluster = match &file {
        None => join.cluster.clone(),
        Some(_) => cluster_file::effective(&node::of_bundle(&bundle), file.as_ref())?,
    };
    let facts = Facts::gather(host)?;
    let release = hop::next(host, &bundle, &kept.kubernetes)?;
    let bundle = bundle.at(&release)?;
    let target = target::choose(host, &bundle.lock().targets, &facts)?;
    // An upgrade that has begun goes on from where it began.
    let open = receipt::upgrade(host.lines());
    let open = open.filter(|_| !hop::ended(host, &bundle).is_ok_and(|ended| ended.is_some()));
    let from = open.map_or(kept.kubernetes, |open| open.from.clone());
    Ok(Intent {
        role,
        bundle,
        target,
        cluster,
        facts,
        name: kept.name,
        address: kept.address,
        join: (role == Role::Worker).then_some(join),
        restore: None,
        upgrade: Some(Upgrading { from, drains: !wanted.no_drain }),
        kubeconfig: None,
    })
}

/// Notes that all of it was made.
fn note_made(host: &mut Host, intent: &Intent) -> anyhow::Result<()> {
    let made = receipt::upgrade(host.lines()).map(|open| Line::Upgrade(open.at(Stage::Made)));
    made.map_or(Ok(()), |made| host.begin(made))?;
    host.begin(intent.line())
}

fn carry_out(ready: &mut Ready, begun: Instant) -> anyhow::Result<()> {
    let Ready { host, intent, steps } = ready;
    let made = install::apply(host, intent, steps)?;
    note_made(host, intent)?;
    let mut out = stdout();
    let (name, to) = (printable(&intent.name.to_string()), &intent.lock().kubernetes);
    let changes = count(made, "change");
    writeln!(out, "{name} has Kubernetes {to}; {changes} in {} s", begun.elapsed().as_secs())?;
    match intent.role {
        Role::Master => {
            writeln!(
                out,
                "next:  the same line on the next master, if there is one, and when all"
            )?;
            writeln!(out, "       are done on each worker, one after the other")?;
        }
        Role::Worker => writeln!(out, "next:  the next worker, if there is one")?,
    }
    let until = match hop::following(&intent.bundle) {
        Some(next) => {
            let (where_to, until) = match intent.role {
                Role::Master => ("on the first master again", "then"),
                Role::Worker => ("on the first master again", "this node gets that"),
            };
            writeln!(out, "       then {where_to}, for Kubernetes {next}")?;
            until
        }
        None => "`--finish`",
    };
    writeln!(out, "       `installer upgrade --back` takes it back, until {until}")?;
    writeln!(out, "log:   {LOG}")?;
    Ok(())
}
