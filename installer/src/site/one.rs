//! The run of one node's installer: all of it, or what needs no other node; and how it ended.

use std::sync::atomic::{AtomicBool, Ordering};

use super::far::Join;
use super::foreseen::{Plan, Samples};
use super::met::{Met, Site};
use super::outcome::{End, Outcome};
use super::pass::close;
use crate::exec::Output;
use crate::role::Role;
use crate::steps::order::is_alone;

/// A node that was met, and its plan.
pub type Planned<'a, 'b> = (&'b Met<'a>, &'b Plan);

/// Whether the node is done, so that its installer need not run.
pub fn is_done((node, plan): &Planned<'_, '_>) -> bool {
    plan.changes() == 0 && node.standing.is_in_cluster() && !node.standing.is_interrupted()
}

/// A node of which nothing more is done.
pub(super) fn left(node: &Met<'_>, why: &str) -> Outcome {
    Outcome { node: node.machine.name.clone(), end: End::Left(why.to_owned()) }
}

/// Has one node made, unless it is done.
pub(super) fn made(
    site: &Site<'_>,
    one: &Planned<'_, '_>,
    join: anyhow::Result<Option<String>>,
) -> Outcome {
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

/// Has a new node take all steps for which it needs no other node. Packages and images take the
/// most time, and need no master. None if nothing is to be done or all went well; else how it
/// failed.
pub(super) fn prepared(
    site: &Site<'_>,
    (node, plan): &Planned<'_, '_>,
    samples: &Samples,
) -> Option<Outcome> {
    let wanted = plan.steps.iter().filter(|step| !step.changes.is_empty());
    let steps: Vec<_> = wanted.map(|step| step.step).filter(|name| is_alone(*name)).collect();
    if steps.is_empty() || node.standing.is_in_cluster() {
        return None;
    }
    let join = match node.machine.role {
        Role::Master => &samples.master,
        Role::Worker => &samples.worker,
    };
    let said = from_first_step(site, node, |each| node.far().take(&steps, Join::Text(join), each));
    Some(ended(node, said)).filter(|outcome| !outcome.is_good())
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

/// Has a node take everything back.
pub(super) fn taken_back(site: &Site<'_>, node: &Met<'_>) -> Outcome {
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
