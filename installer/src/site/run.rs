//! The runs: the first master, the other masters one by one, then workers, several at a time.

use std::time::Instant;

use anyhow::anyhow;

use super::far::Join;
use super::foreseen::{Plan, source};
use super::met::{Met, Site};
use super::outcome::{End, Outcome};
use super::side_by_side::each;
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
    let masters: Vec<&Planned<'_, '_>> = of(Role::Master).collect();
    let workers: Vec<&Planned<'_, '_>> = of(Role::Worker).collect();
    let mut outcomes = Vec::new();
    let mut giver = source(met);
    for (number, one) in masters.iter().enumerate() {
        let (node, _) = one;
        let join = match giver {
            _ if is_done(one) => Ok(None),
            _ if node.facts.has_joined => Ok(None),
            // The one that gives join files was made without any.
            Some(giver) if giver.machine.name == node.machine.name => Ok(None),
            Some(_) if node.standing.is_in_cluster() => Ok(None),
            Some(giver) => giver.far().token(Role::Master).map(Some),
            None => Ok(None),
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

fn left(node: &Met<'_>, why: &str) -> Outcome {
    Outcome { node: node.machine.name.clone(), end: End::Left(why.to_owned()) }
}

/// Has one node made, unless it is done.
fn made(
    site: &Site<'_>,
    one: &Planned<'_, '_>,
    join: anyhow::Result<Option<String>>,
) -> Outcome {
    let (node, _) = one;
    let name = node.machine.name.clone();
    if is_done(one) {
        return Outcome { node: name, end: End::Already };
    }
    let begun = Instant::now();
    let said = join.and_then(|join| {
        let join = match &join {
            Some(text) => Join::Text(text),
            None if node.facts.has_joined && node.machine.role == Role::Master => Join::Own,
            None => Join::None,
        };
        node.far().make(join, &|line| (site.tell)(node.machine, line))
    });
    match said {
        Ok(said) if said.succeeded() => {
            let end = End::Done(last_line(&said), begun.elapsed().as_secs());
            Outcome { node: name, end }
        }
        Ok(said) => Outcome { node: name, end: End::Failed(error(&said)) },
        Err(error) => Outcome::failed(&name, &error),
    }
}

/// What the installer says that the node is: the first line of its end.
fn last_line(said: &Output) -> String {
    let is = |line: &&str| line.contains(" is a ") || line.contains(" is done");
    let mut lines = said.stdout.lines().rev().filter(|line| !line.trim().is_empty());
    lines.find(is).unwrap_or("done").to_owned()
}

/// The installer's error, from where it begins.
fn error(said: &Output) -> String {
    let from = said.stderr.lines().position(|line| line.starts_with("error:"));
    match from {
        Some(from) => said.stderr.lines().skip(from).collect::<Vec<_>>().join("\n"),
        None => format!("error: the installer there {}", said.end()),
    }
}
