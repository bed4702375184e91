//! What `installer up` shows: problems with the names of their nodes, one plan, and how it
//! ended.

use std::io::Write;

use bundle_format::archive::reader::Bundle;
use bundle_format::text::{count, indented, printable, stderr, stdout};

use crate::failure::Failure;
use crate::site::foreseen::Plan;
use crate::site::machine::Machine;
use crate::site::outcome::{End, Outcome};
use crate::site::problem::{Problem, grouped};
use crate::site::run::{self, Planned};

/// Prints problems or warnings, each once, with the names of its nodes.
pub(super) fn tell_problems(word: &str, problems: &[Problem]) -> std::io::Result<()> {
    for (nodes, problem) in grouped(problems) {
        let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
        let (what, cure) = (indented(&problem.what), indented(&problem.cure));
        writeln!(stderr(), "{word}: {}: {what}\n  hint: {cure}", names.join(", "))?;
    }
    Ok(())
}

/// Prints all problems, and fails if there are any.
pub(super) fn refuse(problems: &[Problem]) -> anyhow::Result<()> {
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

/// Prints the one plan: a line a node, or each change.
pub(super) fn show(
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
pub(super) fn finished(outcomes: &[Outcome], width: usize) -> anyhow::Result<()> {
    let mut out = stdout();
    for outcome in outcomes {
        let words = match &outcome.end {
            End::Already => "was done already".to_owned(),
            End::Done(words) => printable(words),
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
