//! The runs: the first master, the other masters one by one, then workers, several at a time.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;
use bundle_format::parallel::each;

use super::far::Join;
use super::foreseen::{Plan, source};
use super::met::{Met, Site};
use super::outcome::{End, Outcome};
use super::pass::close;
use crate::exec::Output;
use crate::role::Role;

/// A node that was met, and its plan.
pub type Planned<'a, 'b> = (&'b Met<'a>, &'b Plan);

/// Whether the node is done, so that its installer need not run.
pub fn is_done((node, plan): &Planned<'_, '_>) -> bool {
    plan.changes() == 0 && node.standing.is_in_cluster() && !node.standing.is_interrupted()
}

/// Makes all nodes, as far as they go. What fails on one does not stop another, except for
/// the first master, which all need.
pub fn make(site: &Site<'_>, planned: &[Planned<'_, '_>], met: &[Met<'_>]) -> Vec<Outcome> {
    let of = |role| planned.iter().filter(move |(node, _)| node.machine.role == role);
    let mut masters: Vec<&Planned<'_, '_>> = of(Role::Master).collect();
    // Those in the cluster come to know of a new one before that joins.
    masters.sort_by_key(|(node, _)| !node.standing.is_in_cluster());
    let workers: Vec<&Planned<'_, '_>> = of(Role::Worker).collect();
    let mut outcomes = Vec::new();
    let mut giver = source(met);
    for (number, one) in masters.iter().enumerate() {
        let (node, _) = one;
        let join = match giver {
            // The first of all is made without one, and who has joined keeps his own.
            Some(giver) if !node.standing.is_in_cluster() => {
                giver.far().token(Role::Master).map(Some)
            }
            _ => Ok(None),
        };
        let outcome = made(site, one, join);
        let is_good = outcome.is_good();
        outcomes.push(outcome);
        if is_good {
            giver = giver.or(Some(node));
        } else if giver.is_none() {
            let rest = masters.iter().skip(number + 1).chain(&workers);
            outcomes.extend(rest.map(|(node, _)| left(node, "the first master failed")));
            return outcomes;
        }
    }
    outcomes.extend(workers_made(site, &workers, giver));
    outcomes
}

fn workers_made(
    site: &Site<'_>,
    workers: &[&Planned<'_, '_>],
    giver: Option<&Met<'_>>,
) -> Vec<Outcome> {
    let is_needed = workers.iter().any(|one| !is_done(one));
    let join = match (giver, is_needed) {
        (Some(giver), true) => giver.far().token(Role::Worker).map(Some),
        (None, true) => Err(anyhow!("no master of its cluster answers")),
        (_, false) => Ok(None),
    };
    each(workers, site.parallel, |one| match &join {
        Ok(join) => made(site, one, Ok(join.clone())),
        Err(error) if !is_done(one) => left(one.0, &format!("there is no join file: {error:#}")),
        Err(_) => made(site, one, Ok(None)),
    })
}

pub(super) fn left(node: &Met<'_>, why: &str) -> Outcome {
    Outcome { node: node.machine.name.clone(), end: End::Left(why.to_owned()) }
}

/// Has one node made, unless it is done.
fn made(site: &Site<'_>, one: &Planned<'_, '_>, join: anyhow::Result<Option<String>>) -> Outcome {
    let (node, _) = one;
    if is_done(one) {
        return Outcome { node: node.machine.name.clone(), end: End::Already };
    }
    let said = join.and_then(|join| {
        let join = match &join {
            Some(text) => Join::Text(text),
            None if node.has_own_join_file() => Join::Own,
            None => Join::None,
        };
        from_first_step(site, node, |each| node.far().make(join, each))
    });
    ended(node, said)
}

/// Lets an installer tell. Before its first step, it says what was said before the question.
pub(super) fn from_first_step(
    site: &Site<'_>,
    node: &Met<'_>,
    run: impl FnOnce(&(dyn Fn(&str) + Sync)) -> anyhow::Result<Output>,
) -> anyhow::Result<Output> {
    let has_begun = AtomicBool::new(false);
    run(&|line| {
        if line.starts_with('[') {
            has_begun.store(true, Ordering::Relaxed);
        }
        if has_begun.load(Ordering::Relaxed) {
            (site.tell)(node.machine, line);
        }
    })
}

/// How the run of an installer ended.
pub(super) fn ended(node: &Met<'_>, said: anyhow::Result<Output>) -> Outcome {
    let name = node.machine.name.clone();
    match said {
        Ok(said) if said.succeeded() => {
            let end = End::Done(last_line(&said, &name.to_string()));
            Outcome { node: name, end }
        }
        Ok(said) => Outcome { node: name, end: End::Failed(error(&said)) },
        Err(error) => Outcome::failed(&name, &error),
    }
}

/// Takes nodes back to what they were: workers first, then masters one by one, the first of
/// the file last. What fails on one does not stop another.
pub fn reset(site: &Site<'_>, met: &[Met<'_>]) -> Vec<Outcome> {
    let of = |role| met.iter().filter(move |node| node.machine.role == role);
    let workers: Vec<&Met<'_>> = of(Role::Worker).collect();
    let mut outcomes = each(&workers, site.parallel, |node| taken_back(site, node));
    outcomes.extend(of(Role::Master).rev().map(|node| taken_back(site, node)));
    outcomes
}

fn taken_back(site: &Site<'_>, node: &Met<'_>) -> Outcome {
    let name = node.machine.name.clone();
    match node.far().reset(&|line| (site.tell)(node.machine, line)) {
        Ok(said) if said.succeeded() => {
            // What a run has left there that was killed while it copied.
            drop(close(node));
            let last = said.stdout.lines().rfind(|line| !line.trim().is_empty());
            Outcome { node: name, end: End::Done(last.unwrap_or("is reset").to_owned()) }
        }
        Ok(said) => Outcome { node: name, end: End::Failed(error(&said)) },
        Err(error) => Outcome::failed(&name, &error),
    }
}

/// What the installer says in the end of the node, without its name.
fn last_line(said: &Output, name: &str) -> String {
    let end = |line: &str| {
        let rest = line.strip_prefix(name)?.strip_prefix(' ')?;
        let is_end = rest.starts_with("is a ") || rest.starts_with("has Kubernetes ");
        is_end.then(|| rest.to_owned())
    };
    let is = said.stdout.lines().rev().find_map(end);
    is.unwrap_or_else(|| "is done".to_owned())
}

/// The installer's problems or its error, from where they begin.
fn error(said: &Output) -> String {
    let is_first = |line: &str| line.starts_with("problem:") || line.starts_with("error:");
    let from = said.stderr.lines().position(is_first);
    match from {
        Some(from) => said.stderr.lines().skip(from).collect::<Vec<_>>().join("\n"),
        None => format!("error: the installer there {}", said.end()),
    }
}
