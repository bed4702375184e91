//! `installer --role …`: preflight, plan, run.

use std::io::{self, Write};
use std::time::Instant;

use bundle_format::lock::{CheckName, DisabledCheck};
use bundle_format::signature::NOT_ASKED;
use bundle_format::text::{count, plain_json, printable, stderr, stdout};
use serde_json::json;

use super::ended::{Ended, carried_out, confirmed};
use super::options::{Aim, Choice, Way};
use super::{node, preflight as told, verify};
use crate::engine::run::{self, Planned};
use crate::failure::Failure;
use crate::host::{Host, LOG};
use crate::install::{Change, Steps};
use crate::intent::Intent;
use crate::node::join::{self, JoinFile};
use crate::preflight::{self, settled};
use crate::receipt::StepName;
use crate::role::Role;
use crate::steps::{self, order};
use crate::target;

pub(crate) fn install(aim: &Aim, choice: &Choice, way: &Way) -> Ended {
    let begun = Instant::now();
    carried_out(prepare(aim, choice, way), |ready| carry_out(ready, begun))
}

/// A run that was agreed to.
struct Ready {
    host: Host,
    intent: Intent,
    steps: Steps,
}

/// Looks, shows, asks; none where nothing is to be done.
fn prepare(aim: &Aim, choice: &Choice, way: &Way) -> anyhow::Result<Option<Ready>> {
    let host = node::host(way.root.as_deref())?;
    let intent = node::intent(&host, aim, way.root.as_deref())?;
    node::tell_stranger(&intent);
    let steps = chosen(&intent, choice)?;
    if !way.dry_run && !steps.iter().all(|step| order::is_alone(step.name())) {
        refuse_sample(intent.join.as_ref())?;
    }
    let plan = match run::plan(&host, &intent, &steps) {
        Ok(plan) => plan,
        Err(error) => {
            let (mut problems, warnings) = preflight::look(&host, &intent);
            // The first of them is the error.
            problems.extend(told::refusals(&host, &intent, &steps).into_iter().skip(1));
            told::warn(&warnings)?;
            told::tell(&problems)?;
            return Err(error);
        }
    };
    let is_done = plan.iter().all(|planned| planned.changes.is_empty());
    // If all steps are done, the only problems left are changes that no step can make.
    let (problems, warnings) = if is_done {
        (settled::problems(&host, &intent), Vec::new())
    } else {
        preflight::look(&host, &intent)
    };
    if way.json {
        let plan = told::json(&as_json(&intent, &plan), &problems, &warnings);
        writeln!(stdout(), "{}", plain_json(&format!("{plan:#}")))?;
    } else if is_done && problems.is_empty() {
        let is = format!("this node is a {} already", intent.role);
        writeln!(stdout(), "{}; there is nothing to do", end(&intent, steps.len(), is))?;
        if intent.restore.is_some() {
            let back = "to go back to the backup once more, run `installer reset` first";
            writeln!(stderr(), "note: it was restored from this backup before; {back}")?;
        }
        if !way.dry_run {
            run::settle(host, &plan)?;
        }
        return Ok(None);
    } else {
        show(&intent, &plan)?;
        told::warn(&warnings)?;
        told::tell(&problems)?;
        tell_of_one_master(&intent, &plan)?;
    }
    told::refuse(&problems)?;
    if way.dry_run {
        writeln!(stderr(), "nothing was changed")?;
        return Ok(None);
    }
    if !(way.yes || confirmed("Do this?")?) {
        return Ok(None);
    }
    verify::before_changes(&intent.bundle)?;
    Ok(Some(Ready { host: node::begin(host)?, intent, steps }))
}

/// The address of the API server cannot be changed later, and a cluster with one
/// machine's own address will never have more masters.
fn tell_of_one_master(intent: &Intent, plan: &[Planned<Intent>]) -> io::Result<()> {
    let makes = plan.iter().any(|planned| {
        planned.step.name() == StepName::ControlPlane && !planned.changes.is_empty()
    });
    if makes && intent.role == Role::Master && !intent.may_have_more_masters() {
        one_master_for_good()?;
    }
    Ok(())
}

/// The note about a cluster that will never have a second master.
pub(super) fn one_master_for_good() -> io::Result<()> {
    let how = "if it is to have more masters one day, write `controlPlane` or `endpoint` into the \
               cluster file now; `installer manual masters` says how";
    writeln!(stderr(), "note: this cluster will have one master for good; {how}")
}

/// A sample is good for a plan, and for steps that use nothing of it.
fn refuse_sample(join: Option<&JoinFile>) -> Result<(), Failure> {
    match join.is_some_and(JoinFile::is_sample) {
        true => Err(Failure::new(
            "the join file is a sample; nobody can join with it",
            "use the master's join file, or make one there with `installer token`",
        )),
        false => Ok(()),
    }
}

fn carry_out(ready: &mut Ready, begun: Instant) -> anyhow::Result<()> {
    let Ready { host, intent, steps } = ready;
    let made = apply(host, intent, steps)?;
    finished(host, intent, steps.len(), made, begun)
}

/// Makes all changes. It prints a line for each step.
pub(super) fn apply(host: &mut Host, intent: &Intent, steps: &Steps) -> anyhow::Result<usize> {
    let total = steps.len();
    run::apply(host, intent, steps, &mut |number, name, changes| {
        let line = match changes.len() {
            0 => format!("[{:>2}/{total}] {name}: nothing to change\n", number + 1),
            1 => format!("[{:>2}/{total}] {name}: {}\n", number + 1, first(changes)),
            many => format!("[{:>2}/{total}] {name}: {}\n", number + 1, count(many, "change")),
        };
        drop(stderr().write_all(line.as_bytes()));
    })
}

/// What the node is after all of its role's steps. Of some of them it becomes
/// nothing yet.
fn end(intent: &Intent, steps: usize, whole: String) -> String {
    if steps == order::steps(intent.role).len() { whole } else { "these steps are done".to_owned() }
}

/// The first change, not wider than a terminal.
fn first(changes: &[Change]) -> String {
    let text = changes.first().map(|one| printable(&one.to_string())).unwrap_or_default();
    if text.chars().count() <= 60 {
        text
    } else {
        text.chars().take(57).chain("…".chars()).collect()
    }
}

/// The steps that were asked for.
pub(super) fn chosen(intent: &Intent, choice: &Choice) -> anyhow::Result<Steps> {
    let mut steps = order::of(intent);
    let known: Vec<StepName> = steps.iter().map(|step| step.name()).collect();
    if let Some(name) = choice.only.iter().chain(&choice.skip).find(|name| !known.contains(name)) {
        let names: Vec<String> = known.iter().map(ToString::to_string).collect();
        return Err(Failure::new(
            format!("a {} has no step `{name}`", intent.role),
            format!("the steps are {}", names.join(", ")),
        )
        .into());
    }
    steps.retain(|step| {
        let name = step.name();
        (choice.only.is_empty() || choice.only.contains(&name)) && !choice.skip.contains(&name)
    });
    if steps.is_empty() {
        return Err(Failure::new(
            "--only and --skip leave no step",
            "take a step out of --skip, or name another with --only",
        )
        .into());
    }
    Ok(steps)
}

fn show(intent: &Intent, plan: &[Planned<Intent>]) -> io::Result<()> {
    let mut out = stdout();
    let lock = intent.lock();
    writeln!(
        out,
        "{} ({}) becomes a {} of Kubernetes {} from the bundle {}",
        intent.name, intent.address, intent.role, lock.kubernetes, lock.name
    )?;
    if let Some(words) = target::reason(&intent.target, &intent.facts.release) {
        let words = format!("{}, by {words}", intent.target.id);
        writeln!(out, "its packages are those for {}", printable(&words))?;
    }
    show_changes(intent, plan)
}

/// Who signed the bundle, what is unchecked, and what each step changes.
pub(super) fn show_changes(intent: &Intent, plan: &[Planned<Intent>]) -> io::Result<()> {
    let mut out = stdout();
    match intent.bundle.signed() {
        Some(signed) => writeln!(out, "the bundle is signed: {signed}")?,
        None => writeln!(out, "{NOT_ASKED}")?,
    }
    writeln!(out)?;
    let off: Vec<_> = unchecked(intent).collect();
    if !off.is_empty() {
        writeln!(out, "checks that the bundle's spec has switched off, for the reasons given:")?;
        for disabled in off {
            writeln!(out, "  {}", printable(&words(disabled)))?;
        }
        writeln!(out)?;
    }
    for planned in plan {
        if planned.changes.is_empty() {
            writeln!(out, "{}: nothing to change", planned.step.name())?;
            continue;
        }
        writeln!(out, "{}", planned.step.name())?;
        for change in &planned.changes {
            writeln!(out, "  {}", printable(&change.to_string()))?;
        }
    }
    writeln!(out)
}

/// The checks that are off for this node: of its packages, and of registries.
fn unchecked(intent: &Intent) -> impl Iterator<Item = &DisabledCheck> {
    let others = intent.lock().targets.iter().filter(|target| target.id != intent.target.id);
    let others: Vec<String> = others.map(|target| format!("{}/", target.id)).collect();
    let is_other = move |check: &DisabledCheck| {
        others.iter().any(|other| check.subject.starts_with(other.as_str()))
    };
    intent.lock().disabled_checks.iter().filter(move |check| !is_other(check))
}

/// What it means on this node that a check is off.
fn words(off: &DisabledCheck) -> String {
    let DisabledCheck { subject, reason, .. } = off;
    match off.check {
        CheckName::Gpgcheck => format!(
            "gpgcheck for {subject}: its packages' signatures were not checked, and this node \
             installs all packages with gpgcheck=0: {reason}"
        ),
        CheckName::RepoGpgcheck => {
            format!(
                "repoGpgcheck for {subject}: its metadata's signature was not checked: {reason}"
            )
        }
        CheckName::ExpiredKeys => {
            format!("expiredKeys for {subject}: an expired key was taken: {reason}")
        }
        CheckName::PlainHttp => {
            format!("plainHttp for {subject}: images came without TLS: {reason}")
        }
    }
}

/// The plan for a program to read: in the words in which it is shown, since a
/// change may hold a secret.
pub(super) fn as_json(intent: &Intent, plan: &[Planned<Intent>]) -> serde_json::Value {
    let steps = plan.iter().map(|planned| {
        let changes: Vec<String> = planned.changes.iter().map(ToString::to_string).collect();
        json!({"step": planned.step.name(), "changes": changes})
    });
    json!({
        "role": intent.role.to_string(),
        "name": intent.name,
        "address": intent.address,
        "kubernetes": intent.lock().kubernetes,
        "bundle": intent.lock().name,
        "target": intent.target.id,
        "signedBy": intent.bundle.signed().map(|signed| signed.key.to_string()),
        "disabledChecks": unchecked(intent).collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
    })
}

fn finished(
    host: &Host,
    intent: &Intent,
    steps: usize,
    made: usize,
    begun: Instant,
) -> anyhow::Result<()> {
    let mut out = stdout();
    let seconds = begun.elapsed().as_secs();
    let is = end(intent, steps, format!("{} is a {}", intent.name, intent.role));
    writeln!(out, "{is}; {} in {seconds} s", count(made, "change"))?;
    if intent.restore.is_some() && !steps::restore::raises_revision(intent)? {
        writeln!(out, "next:  restart what watched the cluster: on each worker, kubelet; and all")?;
        writeln!(out, "       pods that do. `installer manual backup` says how, and why")?;
    }
    if intent.role == Role::Master && intent.join.is_none() && host.exists(join::path()) {
        let path = join::path();
        writeln!(out, "next:  copy {} to each worker, and there run", path.display())?;
        writeln!(out, "       ./installer --role worker --join join.yaml")?;
        if intent.may_have_more_masters() {
            writeln!(out, "       for a further master: `installer token --for master` here")?;
        }
    }
    writeln!(out, "log:   {LOG}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use bundle_format::cluster::Cluster;

    use super::*;

    #[test]
    fn nobody_joins_by_a_sample() {
        let mut join = JoinFile::sample(Cluster::default()).unwrap();
        assert!(refuse_sample(Some(&join)).unwrap_err().to_string().contains("is a sample"));
        join.token = "abcdef.0123456789abcdef".to_owned();
        assert!(refuse_sample(Some(&join)).is_ok() && refuse_sample(None).is_ok());
    }
}
