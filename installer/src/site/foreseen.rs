//! What each node's own installer says it would do, and what is in its way.

use std::path::Path;

use anyhow::anyhow;
use bundle_format::KubernetesVersion;
use bundle_format::parallel::each;
use serde::Deserialize;

use super::far::{Join, KEPT};
use super::machine::Machine;
use super::met::{Met, Site};
use super::problem::Problem;
use crate::exec::Output;
use crate::failure::{Awaited, Failure};
use crate::node::join::{JoinFile, Master};
use crate::receipt::StepName;
use crate::role::Role;

/// A node's plan: what `installer plan --json` says.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Plan {
    /// The steps with their changes.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// The release that the node gets.
    #[serde(default)]
    pub kubernetes: Option<KubernetesVersion>,
    /// What is in the way.
    #[serde(default)]
    pub(super) problems: Vec<Told>,
    /// What should be known.
    #[serde(default)]
    pub(super) warnings: Vec<Told>,
}

/// A step of a plan.
#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    /// Its name.
    pub step: StepName,
    /// Its changes, in the words in which they are shown.
    pub changes: Vec<String>,
}

/// A problem or a warning, as an installer tells it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Told {
    #[serde(alias = "problem", alias = "warning")]
    what: String,
    cure: String,
    /// What would end it on other nodes.
    #[serde(default)]
    pub(super) awaits: Option<Awaited>,
}

impl Plan {
    /// How many changes there are.
    pub fn changes(&self) -> usize {
        self.steps.iter().map(|step| step.changes.len()).sum()
    }
}

/// What all nodes foresee.
#[derive(Default)]
pub struct Foreseen {
    /// The plans, in the order of the nodes; none of a node that has problems.
    pub plans: Vec<Option<Plan>>,
    /// What is in the way.
    pub problems: Vec<Problem>,
    /// What should be known.
    pub warnings: Vec<Problem>,
}

/// Join files with which nobody can join, for nodes that have none yet.
pub struct Samples {
    /// For workers.
    pub worker: String,
    /// For further masters.
    pub master: String,
}

/// Asks these nodes, of all that were met.
pub fn foresee(
    site: &Site<'_>,
    nodes: &[&Met<'_>],
    met: &[Met<'_>],
    samples: &Samples,
) -> Foreseen {
    // Those in the cluster are compared with its own file.
    let kept = source(met).map(|master| with_all_masters(site, met, &master.far().kept()?));
    let kept = kept.transpose().map_err(|error| format!("{error:#}"));
    let first = nodes.iter().find(|node| node.machine.role == Role::Master);
    let first = first.filter(|_| source(met).is_none()).map(|node| &node.machine.name);
    let all = each(nodes, site.parallel, |node| {
        let join = match (node.machine.role, node.standing.is_in_cluster(), &kept) {
            (Role::Master, true, _) if node.has_own_join_file() => Join::Own,
            (Role::Master, true, _) => Join::None,
            (Role::Master, false, _) if first == Some(&node.machine.name) => Join::None,
            (Role::Master, false, _) => Join::Text(&samples.master),
            (Role::Worker, true, Ok(Some(kept))) => Join::Text(kept),
            (Role::Worker, true, Err(error)) => {
                return Err(anyhow!("no master gave its join file: {error}"));
            }
            (Role::Worker, true, Ok(None)) => {
                let cure = "start a master that is in the cluster";
                return Err(Failure::new("no master of its cluster answers", cure).into());
            }
            (Role::Worker, false, _) => Join::Text(&samples.worker),
        };
        plan(node, join)
    });
    let mut foreseen = foreseen(nodes, all);
    foreseen.problems.extend(unknown_masters(site, met));
    foreseen
}

/// What these nodes said, in their order.
pub(super) fn foreseen(nodes: &[&Met<'_>], all: Vec<anyhow::Result<Plan>>) -> Foreseen {
    let mut foreseen = Foreseen::default();
    for (node, plan) in nodes.iter().zip(all) {
        let name = &node.machine.name;
        let of = |told: Told| Problem::new(name, told.what, told.cure);
        let plan = match plan {
            Ok(mut plan) => {
                let problems = std::mem::take(&mut plan.problems);
                foreseen.warnings.extend(std::mem::take(&mut plan.warnings).into_iter().map(of));
                let is_free = problems.is_empty();
                foreseen.problems.extend(problems.into_iter().map(of));
                is_free.then_some(plan)
            }
            Err(error) => {
                foreseen.problems.push(Problem::of(name, &error));
                None
            }
        };
        foreseen.plans.push(plan);
    }
    foreseen
}

/// The masters that were not reached, if none that was reached is in its cluster: one of them
/// may be, and a master that is made now would begin a second cluster.
fn unknown_masters(site: &Site<'_>, met: &[Met<'_>]) -> Vec<Problem> {
    if source(met).is_some() {
        return Vec::new();
    }
    // One that is meant is a problem already.
    let is_asked = |one: &&Machine| one.role == Role::Master && !one.is_meant;
    let is_unknown = |one: &&Machine| met.iter().all(|node| node.machine.name != one.name);
    let what = "it does not answer, so nobody knows whether there is a cluster already";
    let cure = "bring it up; if it never was a master, take it out of the cluster file";
    let unknown = site.machines.iter().filter(is_asked).filter(is_unknown);
    unknown.map(|one| Problem::new(&one.name, what, cure)).collect()
}

/// The join file that a master keeps, with the masters that a new one will name: those of the
/// cluster file, except for one that is not in the cluster and is not made now. A master notes
/// them when it is made, and does not know of later ones.
fn with_all_masters(site: &Site<'_>, met: &[Met<'_>], kept: &str) -> anyhow::Result<String> {
    let join = JoinFile::parse(kept, Path::new(KEPT))?;
    let is_out = |machine: &Machine| {
        let mut found = met.iter().filter(|node| node.machine.name == machine.name);
        !machine.is_meant && found.any(|node| !node.standing.is_in_cluster())
    };
    let masters = site.machines.iter().filter(|one| one.role == Role::Master && !is_out(one));
    let master = |one: &Machine| Master { name: one.name.clone(), address: one.address };
    let mut masters: Vec<Master> = masters.map(master).collect();
    // The API server lists nodes by name.
    masters.sort_by_key(|master| master.name.to_string());
    join.with_masters(masters).text()
}

/// A master that is in its cluster: the first that was reached.
pub(super) fn source<'a, 'b>(met: &'b [Met<'a>]) -> Option<&'b Met<'a>> {
    met.iter().find(|node| node.machine.role == Role::Master && node.standing.is_in_cluster())
}

/// A plan with all problems. If steps cannot plan, only preflight has all of these.
fn plan(node: &Met<'_>, join: Join<'_>) -> anyhow::Result<Plan> {
    let mut said = Output::default();
    for command in ["plan", "preflight"] {
        said = node.far().ask(command, join)?;
        if let Some(plan) = read(&said) {
            return Ok(plan);
        }
    }
    Err(said_why(&said))
}

/// A plan that an installer said. One that failed without a problem is none.
pub(super) fn read(said: &Output) -> Option<Plan> {
    let plan = serde_json::from_str::<Plan>(&said.stdout).ok()?;
    (said.succeeded() || !plan.problems.is_empty()).then_some(plan)
}

/// What an installer said when it failed, as an error of ours.
pub(super) fn said_why(said: &Output) -> anyhow::Error {
    let after = |word: &str| {
        let found = said.stderr.lines().find_map(|line| line.strip_prefix(word));
        found.map(str::to_owned)
    };
    match (after("error: "), after("hint: ")) {
        (Some(what), Some(cure)) => Failure::new(what, cure).into(),
        _ => anyhow!("the installer there {}", said.end()),
    }
}
