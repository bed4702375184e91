//! `installer --role …`: preflight, plan, run.

use std::io::{self, Write};
use std::time::Instant;

use anyhow::bail;

use super::{Install, confirmed, node, verify};
use crate::change::Change;
use crate::failure::Failure;
use crate::host::Host;
use crate::preflight;
use crate::role::Role;
use crate::run::{self, Planned};
use crate::step::{Intent, Step};
use crate::steps::join_file;

pub(crate) fn install(install: &Install) -> anyhow::Result<()> {
    let begun = Instant::now();
    let host = node::host(install.root.as_deref())?;
    let intent = node::intent(&host, install)?;
    let steps = chosen(install)?;
    let plan = run::plan(&host, &intent, &steps)?;
    let is_done = plan.iter().all(|planned| planned.changes.is_empty());
    if is_done {
        writeln!(io::stdout(), "this node is a {} already; nothing is to be done", intent.role)?;
        return Ok(());
    }
    let problems = preflight::problems(&host, &intent);
    show(&intent, &plan)?;
    for problem in &problems {
        writeln!(io::stderr(), "problem: {problem}\n  hint: {}", problem.cure())?;
    }
    if !problems.is_empty() {
        bail!("{} problems are in the way; nothing was changed", problems.len());
    }
    if install.dry_run || !(install.yes || confirmed("Do this?")?) {
        writeln!(io::stderr(), "nothing was changed; --yes does it without asking")?;
        return Ok(());
    }
    verify::whole(&intent.bundle)?;
    let mut host = host.open()?;
    let total = steps.len();
    let made = run::apply(&mut host, &intent, &steps, &mut |number, name, changes| {
        let line = match changes.len() {
            0 => format!("[{:>2}/{total}] {name}: done already\n", number + 1),
            1 => format!("[{:>2}/{total}] {name}: {}\n", number + 1, first(changes)),
            many => format!("[{:>2}/{total}] {name}: {many} changes\n", number + 1),
        };
        drop(io::stderr().write_all(line.as_bytes()));
    })?;
    finished(&host, &intent, made, begun)
}

/// The first change, not wider than a terminal.
fn first(changes: &[Change]) -> String {
    let text = changes.first().map(ToString::to_string).unwrap_or_default();
    if text.chars().count() <= 60 {
        text
    } else {
        text.chars().take(57).chain("…".chars()).collect()
    }
}

/// The steps that were asked for.
fn chosen(install: &Install) -> anyhow::Result<Vec<&'static dyn Step>> {
    let mut steps = install.role.steps();
    let names: Vec<&str> = steps.iter().map(|step| step.name()).collect();
    for name in install.only.iter().chain(&install.skip) {
        if !names.contains(&name.as_str()) {
            return Err(Failure::new(
                format!("a {} has no step `{name}`", install.role),
                format!("the steps are {}", names.join(", ")),
            )
            .into());
        }
    }
    let is_in = |list: &[String], name: &str| list.iter().any(|one| one == name);
    steps.retain(|step| {
        (install.only.is_empty() || is_in(&install.only, step.name()))
            && !is_in(&install.skip, step.name())
    });
    Ok(steps)
}

fn show(intent: &Intent, plan: &[Planned]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let lock = intent.lock();
    writeln!(
        out,
        "{} ({}) becomes a {} of Kubernetes {} from the bundle {}\n",
        intent.name, intent.address, intent.role, lock.kubernetes, lock.name
    )?;
    for planned in plan {
        if planned.changes.is_empty() {
            writeln!(out, "{}: done already", planned.step.name())?;
            continue;
        }
        writeln!(out, "{}", planned.step.name())?;
        for change in &planned.changes {
            writeln!(out, "  {change}")?;
        }
    }
    writeln!(out)
}

fn finished(host: &Host, intent: &Intent, made: usize, begun: Instant) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let seconds = begun.elapsed().as_secs();
    writeln!(out, "{} is a {}; {made} changes in {seconds} s", intent.name, intent.role)?;
    if intent.role == Role::Master && host.exists(join_file::path()) {
        let path = join_file::path();
        writeln!(out, "next:  copy {} to each worker, and there run", path.display())?;
        writeln!(out, "       ./installer --role worker --join join.yaml")?;
    }
    writeln!(out, "log:   /var/log/kubeferry/install.log")?;
    Ok(())
}
