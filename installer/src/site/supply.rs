//! The bundle on all nodes: this machine gives it to the first one, and those that have it
//! give it to the next ones. Of a bundle in a registry, nodes need little, and get it from here.

use std::sync::mpsc;
use std::thread;

use bundle_format::parallel::each;

use super::met::{Met, Site};
use super::pass::{close, forget, pass};
use super::problem::Problem;
use super::rounds::{Copy, Ended, Giver, Rounds};

/// Gives all that are meant the bundle and the cluster file, if there is room.
pub fn supply(site: &Site<'_>, met: &[Met<'_>]) -> Vec<Problem> {
    let meant: Vec<&Met<'_>> = met.iter().filter(|node| node.machine.is_meant).collect();
    let prepared = each(&meant, site.parallel, |node| is_ready(site, node));
    let (mut problems, mut waiting, mut have) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (node, is_ready)) in meant.iter().zip(prepared).enumerate() {
        match is_ready {
            Ok(false) => waiting.push(number),
            Ok(true) if node.connection.is_here() => {}
            Ok(true) => have.push(number),
            Err(error) => problems.push(Problem::of(&node.machine.name, &error)),
        }
    }
    problems.extend(spread(site, &meant, Rounds::new(waiting, have, site.parallel)));
    problems
}

/// Makes a node ready to take and to give. True if it has everything already.
fn is_ready(site: &Site<'_>, node: &Met<'_>) -> anyhow::Result<bool> {
    let missing = site.carried.missing(&node.connection, &node.facts)?;
    site.carried.clear(&node.connection, &node.place)?;
    site.carried.send_config(&node.connection)?;
    if !node.connection.is_here() {
        // What an earlier run has left that was killed. It needs no home folder.
        drop(close(node));
        forget(node)?;
    }
    if site.carried.is_small() {
        site.carried.send_bundle(&node.connection, &|line| (site.tell)(node.machine, line))?;
        return Ok(true);
    }
    Ok(missing == 0)
}

/// Copies until nobody waits.
fn spread(site: &Site<'_>, nodes: &[&Met<'_>], mut rounds: Rounds) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (ends, ended) = mpsc::channel();
    thread::scope(|scope| {
        loop {
            while let Some(copy) = rounds.next_copy() {
                let ends = ends.clone();
                scope.spawn(move || drop(ends.send((copy, made(site, nodes, copy)))));
            }
            if rounds.are_idle() {
                return;
            }
            let Ok((copy, end)) = ended.recv() else { return };
            rounds.ended(copy, end.as_ref().map_or(Ended::Failed, |end| *end));
            if let (Err(error), Some(node)) = (end, nodes.get(copy.taker)) {
                problems.push(Problem::of(&node.machine.name, &error));
            }
        }
    });
    problems
}

/// Makes one copy. A node that does not get it from another one gets it from here.
fn made(site: &Site<'_>, nodes: &[&Met<'_>], copy: Copy) -> anyhow::Result<Ended> {
    let Some(taker) = nodes.get(copy.taker) else { return Ok(Ended::Failed) };
    let tell = |line: &str| (site.tell)(taker.machine, line);
    let giver = match copy.giver {
        Giver::Here => None,
        Giver::Node(number) => nodes.get(number),
    };
    let Some(giver) = giver else {
        site.carried.send_bundle(&taker.connection, &tell)?;
        return Ok(Ended::Taken);
    };
    let name = &giver.machine.name;
    let from = |line: &str| tell(&format!("from {name}: {line}"));
    match pass(giver, taker, site.carried.files(), &from) {
        Ok(()) => Ok(Ended::Taken),
        Err(error) => {
            tell(&format!("does not get the bundle from {name}, so it comes from here: {error:#}"));
            Ok(Ended::Missed)
        }
    }
}
