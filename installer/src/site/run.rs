//! The runs: the first master, while the other nodes prepare; the other masters one by one; then
//! workers, several at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::anyhow;
use bundle_format::parallel::each;

use super::foreseen::{Samples, source};
use super::met::{Met, Site};
use super::one::{Planned, is_done, left, made, prepared, taken_back};
use super::outcome::Outcome;
use crate::role::Role;

/// Makes all nodes, as far as they go. What fails on one does not stop another, except for
/// the first master, which all need.
pub fn make(
    site: &Site<'_>,
    planned: &[Planned<'_, '_>],
    met: &[Met<'_>],
    samples: &Samples,
) -> Vec<Outcome> {
    let of = |role| planned.iter().filter(move |(node, _)| node.machine.role == role);
    let mut masters: Vec<&Planned<'_, '_>> = of(Role::Master).collect();
    // Those in the cluster come to know of a new one before that joins.
    masters.sort_by_key(|(node, _)| !node.standing.is_in_cluster());
    let workers: Vec<&Planned<'_, '_>> = of(Role::Worker).collect();
    let turns = [masters.clone(), workers.clone()].concat();
    let mut outcomes = in_turn(site, masters, workers, met, samples);
    let turn = |one: &Outcome| turns.iter().position(|(node, _)| node.machine.name == one.node);
    outcomes.sort_by_key(turn);
    outcomes
}

fn in_turn(
    site: &Site<'_>,
    mut masters: Vec<&Planned<'_, '_>>,
    mut workers: Vec<&Planned<'_, '_>>,
    met: &[Met<'_>],
    samples: &Samples,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut giver = source(met);
    if giver.is_none() && !masters.is_empty() {
        let first = masters.remove(0);
        let others = [masters.clone(), workers.clone()].concat();
        let (made, failed) = first_made(site, first, &others, samples);
        let is_in =
            |(node, _): &&Planned<'_, '_>| failed.iter().all(|one| one.node != node.machine.name);
        masters.retain(is_in);
        workers.retain(is_in);
        giver = made.is_good().then_some(first.0);
        outcomes.push(made);
        outcomes.extend(failed);
        if giver.is_none() {
            let rest = masters.iter().chain(&workers);
            outcomes.extend(rest.map(|(node, _)| left(node, "the first master failed")));
            return outcomes;
        }
    }
    for one in masters {
        let join = match giver {
            // Who has joined keeps his own.
            Some(giver) if !one.0.standing.is_in_cluster() => {
                giver.far().token(Role::Master).map(Some)
            }
            _ => Ok(None),
        };
        outcomes.push(made(site, one, join));
    }
    outcomes.extend(workers_made(site, &workers, giver));
    outcomes
}

/// Makes the first master while the other nodes prepare. A node whose turn comes only after the
/// master is made does not prepare: it takes all its steps at once then. Gives how the master
/// ended, and the others that failed.
fn first_made(
    site: &Site<'_>,
    first: &Planned<'_, '_>,
    others: &[&Planned<'_, '_>],
    samples: &Samples,
) -> (Outcome, Vec<Outcome>) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let ahead = || {
            let prepare = |one: &&Planned<'_, '_>| {
                let waits = !is_over.load(Ordering::Relaxed);
                waits.then(|| prepared(site, one, samples)).flatten()
            };
            each(others, site.parallel, prepare).into_iter().flatten().collect()
        };
        let ahead = scope.spawn(ahead);
        let outcome = made(site, first, Ok(None));
        is_over.store(true, Ordering::Relaxed);
        // A thread that panicked has told so; what it did not do is done later.
        (outcome, ahead.join().unwrap_or_default())
    })
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

/// Takes nodes back to what they were: workers first, then masters one by one, the first of
/// the file last. What fails on one does not stop another.
pub fn reset(site: &Site<'_>, met: &[Met<'_>]) -> Vec<Outcome> {
    let of = |role| met.iter().filter(move |node| node.machine.role == role);
    let workers: Vec<&Met<'_>> = of(Role::Worker).collect();
    let mut outcomes = each(&workers, site.parallel, |node| taken_back(site, node));
    outcomes.extend(of(Role::Master).rev().map(|node| taken_back(site, node)));
    outcomes
}
