//! The cluster goes to the bundle's release: new images first, then masters one by one, then
//! workers, each by the node's own `installer upgrade`.

use std::thread::sleep;
use std::time::{Duration, Instant};

use bundle_format::KubernetesVersion;
use bundle_format::parallel::each;

use super::foreseen::{Foreseen, Plan, foreseen, read, said_why};
use super::met::{Met, Site};
use super::one::{Planned, ended, from_first_step, left};
use super::outcome::{End, Outcome};
use crate::failure::Awaited;
use crate::role::Role;

/// How long the API server may take to learn which images a node has. kubelet tells it within
/// five minutes at the latest, if nothing else changes (`nodeStatusReportFrequency`).
const LEARNS: Duration = Duration::from_secs(330);

/// How often it is asked whether it has learned.
const OFTEN: Duration = Duration::from_secs(5);

/// How nodes are upgraded.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How many workers at a time.
    pub workers: usize,
    /// Whether pods move away first.
    pub drains: bool,
}

impl Manner {
    fn options<'a>(self, words: &[&'a str]) -> Vec<&'a str> {
        let more = (!self.drains).then_some("--no-drain");
        words.iter().copied().chain(more).collect()
    }
}

/// Asks these nodes what an upgrade would do. What an earlier turn of this run solves is no
/// problem, nor is what a node says that is not touched in it.
pub fn foresee(site: &Site<'_>, nodes: &[&Met<'_>], manner: Manner) -> Foreseen {
    let options = manner.options(&["--dry-run", "--json"]);
    let mut all = each(nodes, site.parallel, |node| plan(node, &options));
    let plans =
        || nodes.iter().zip(&all).filter_map(|(node, plan)| Some((*node, plan.as_ref().ok()?)));
    let release = release(plans());
    let touched: Vec<(&Met<'_>, &Plan)> =
        plans().filter(|one| !is_done(one, release.as_ref())).collect();
    let masters = touched.iter().filter(|(node, _)| node.machine.role == Role::Master);
    let masters: Vec<String> = masters.map(|(node, _)| node.machine.name.to_string()).collect();
    let names: Vec<String> =
        touched.iter().map(|(node, _)| node.machine.name.to_string()).collect();
    let is_solved = |awaited: &Awaited| match awaited {
        Awaited::Images(name) => names.contains(name),
        Awaited::Master(name) => masters.contains(name),
        Awaited::Masters => !masters.is_empty(),
    };
    for (node, plan) in nodes.iter().zip(&mut all) {
        let Ok(plan) = plan else { continue };
        if !names.contains(&node.machine.name.to_string()) {
            plan.problems.clear();
            plan.warnings.clear();
        }
        plan.problems.retain(|one| !one.awaits.as_ref().is_some_and(is_solved));
    }
    foreseen(nodes, all)
}

/// The release of this run: the earliest that a node still has to get. A bundle may have
/// several minor releases, and no node begins the next before all have this one.
pub fn release_of(planned: &[Planned<'_, '_>]) -> Option<KubernetesVersion> {
    release(planned.iter().copied())
}

fn release<'a, 'b: 'a>(
    plans: impl Iterator<Item = (&'a Met<'b>, &'a Plan)>,
) -> Option<KubernetesVersion> {
    let open = plans.filter(|one| !has_all(one));
    open.filter_map(|(_, plan)| plan.kubernetes.clone()).min_by_key(KubernetesVersion::numbers)
}

fn has_all((node, plan): &(&Met<'_>, &Plan)) -> bool {
    plan.changes() == 0 && !node.standing.is_between()
}

/// Whether a node is not touched in the run to this release.
pub fn is_done(one: &Planned<'_, '_>, release: Option<&KubernetesVersion>) -> bool {
    let (_, plan) = one;
    let is_later = |release: &KubernetesVersion| {
        plan.kubernetes.as_ref().is_some_and(|own| own.numbers() > release.numbers())
    };
    has_all(one) || release.is_some_and(is_later)
}

/// Upgrades all nodes, as far as they go. Without the new images nobody is upgraded, and after
/// a master that failed neither the later masters nor the workers.
pub fn upgrade(site: &Site<'_>, planned: &[Planned<'_, '_>], manner: Manner) -> Vec<Outcome> {
    let release = release_of(planned);
    let (done, mut open): (Vec<Planned<'_, '_>>, Vec<_>) =
        planned.iter().partition(|one| is_done(one, release.as_ref()));
    // Two in the middle at once could stop etcd.
    open.sort_by_key(|(node, _)| !node.standing.is_between());
    let already = |(node, _): &Planned<'_, '_>| Outcome {
        node: node.machine.name.clone(),
        end: End::Already,
    };
    let mut outcomes: Vec<Outcome> = done.iter().map(already).collect();
    let (masters, workers): (Vec<&Met<'_>>, Vec<_>) =
        open.iter().map(|(node, _)| *node).partition(|node| node.machine.role == Role::Master);
    let mut rest = masters.iter().chain(&workers);
    if let Some(first) = masters.first() {
        let others: Vec<&Met<'_>> = rest.clone().skip(1).copied().collect();
        let failed = images(site, &others);
        if let Some(one) = failed.first() {
            let why = format!("the new images did not come to {}", one.node);
            let is_left = |node: &&&Met<'_>| failed.iter().all(|one| one.node != node.machine.name);
            outcomes.extend(rest.filter(is_left).map(|node| left(node, &why)));
            outcomes.extend(failed);
            return outcomes;
        }
        await_images(site, first, &others, manner);
    }
    while let Some(master) = rest.next().filter(|node| node.machine.role == Role::Master) {
        let outcome = upgraded(site, master, manner);
        let is_good = outcome.is_good();
        outcomes.push(outcome);
        if !is_good {
            let why = format!("the master {} failed", master.machine.name);
            outcomes.extend(rest.map(|node| left(node, &why)));
            return outcomes;
        }
    }
    outcomes.extend(each(&workers, manner.workers, |node| upgraded(site, node, manner)));
    outcomes
}

fn plan(node: &Met<'_>, options: &[&str]) -> anyhow::Result<Plan> {
    let said = node.far().upgrade(options, &|_| ())?;
    read(&said).ok_or_else(|| said_why(&said))
}

fn upgraded(site: &Site<'_>, node: &Met<'_>, manner: Manner) -> Outcome {
    let options = manner.options(&["--yes"]);
    ended(node, from_first_step(site, node, |each| node.far().upgrade(&options, each)))
}

/// Brings the new images to nodes, and gives those where that failed.
fn images(site: &Site<'_>, nodes: &[&Met<'_>]) -> Vec<Outcome> {
    let bring = |node: &&Met<'_>| {
        let said = from_first_step(site, node, |each| node.far().upgrade(&["--images"], each));
        ended(node, said)
    };
    let all = each(nodes, site.parallel, bring);
    all.into_iter().filter(|outcome| !outcome.is_good()).collect()
}

/// Waits until the master sees by the API server that these nodes have their images. If that
/// takes too long, its installer says what is missing.
fn await_images(site: &Site<'_>, master: &Met<'_>, nodes: &[&Met<'_>], manner: Manner) {
    let options = manner.options(&["--dry-run", "--json"]);
    let names: Vec<String> = nodes.iter().map(|node| node.machine.name.to_string()).collect();
    let lacks =
        |awaited: &Awaited| matches!(awaited, Awaited::Images(name) if names.contains(name));
    let begun = Instant::now();
    let mut has_told = false;
    while begun.elapsed() < LEARNS {
        let Ok(plan) = plan(master, &options) else { return };
        if !plan.problems.iter().any(|one| one.awaits.as_ref().is_some_and(lacks)) {
            return;
        }
        if !has_told {
            (site.tell)(master.machine, "waits until the API server knows of the new images");
            has_told = true;
        }
        sleep(OFTEN);
    }
}
