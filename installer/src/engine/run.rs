//! The plan and the run. Both ask each step what is still to change.

use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use anyhow::Context;

use crate::engine::change::Change;
use crate::engine::step::{Node, Purpose, Step};
use crate::failure::Failure;
use crate::host::Host;
use crate::receipt::{self, StepName};

/// The changes of a step.
pub struct Planned<P: Purpose + 'static> {
    /// The step.
    pub step: &'static dyn Step<P>,
    /// Its changes; none if it is done.
    pub changes: Vec<Change<P::Own>>,
}

/// Asks all steps, and changes nothing. It asks them at once, because most of them wait for
/// programs. If several steps fail, the error is that of the first.
pub fn plan<P: Purpose>(
    host: &Host,
    intent: &P,
    steps: &[&'static dyn Step<P>],
) -> anyhow::Result<Vec<Planned<P>>> {
    let ask = |step: &'static dyn Step<P>| {
        let changes = step.changes(&Node { host, intent });
        let changes = changes.with_context(|| format!("planning step `{}`", step.name()))?;
        Ok(Planned { step, changes })
    };
    thread::scope(|scope| {
        let asked: Vec<_> = steps.iter().map(|step| scope.spawn(move || ask(*step))).collect();
        let answer =
            |one: ScopedJoinHandle<'_, _>| one.join().unwrap_or_else(|panic| resume_unwind(panic));
        asked.into_iter().map(answer).collect()
    })
}

/// Notes steps as finished that an earlier run left interrupted, and that have
/// nothing left to do.
pub fn settle<P: Purpose>(host: Host, plan: &[Planned<P>]) -> anyhow::Result<()> {
    let names = plan.iter().filter(|planned| planned.changes.is_empty());
    let names = names.map(|planned| planned.step.name());
    let names: Vec<StepName> = names.filter(|name| host.was_interrupted(*name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut host = host.open()?;
    names.iter().try_for_each(|name| host.finish(*name))
}

/// Called with a step's number, from 0, its name, and its changes, before they are
/// made.
pub type Report<'a, P> = dyn FnMut(usize, StepName, &[Change<<P as Purpose>::Own>]) + 'a;

/// Makes all changes of all steps, and reports those of each step first. Returns the
/// number of changes.
pub fn apply<P: Purpose>(
    host: &mut Host,
    intent: &P,
    steps: &[&'static dyn Step<P>],
    report: &mut Report<'_, P>,
) -> anyhow::Result<usize> {
    if let Some(line) = intent.begun() {
        host.begin(line)?;
    }
    let mut made = 0;
    for (number, step) in steps.iter().enumerate() {
        let (name, begun) = (step.name(), Instant::now());
        let doing = || format!("step {}/{} `{name}` failed", number + 1, steps.len());
        let changes = step.changes(&Node { host, intent }).with_context(doing)?;
        report(number, name, &changes);
        if !changes.is_empty() {
            step.before(&Node { host, intent }).with_context(doing)?;
            make_all(host, intent, *step, &changes).map_err(|error| match step.cure() {
                Some(cure) => Failure::new(doing(), cure).because(error).into(),
                None => error.context(doing()),
            })?;
            made += changes.len();
            let seconds = begun.elapsed().as_secs_f32();
            host.say(&format!("step {name} is done: {seconds:.1} s\n"));
        }
        let is_last = steps.iter().skip(number + 1).all(|later| later.name() != name);
        if is_last && (!changes.is_empty() || receipt::interrupted(host.lines(), name)) {
            host.finish(name)?;
        }
    }
    Ok(made)
}

/// Makes a step's changes, and asks the step again. If it then only wants to wait, it
/// waits.
fn make_all<P: Purpose>(
    host: &mut Host,
    intent: &P,
    step: &dyn Step<P>,
    changes: &[Change<P::Own>],
) -> anyhow::Result<()> {
    let name = step.name();
    changes.iter().try_for_each(|change| make(host, intent, name, change))?;
    host.check(name);
    let mut left = step.changes(&Node { host, intent })?;
    if left.iter().all(|change| matches!(change, Change::Await { .. })) && !left.is_empty() {
        left.iter().try_for_each(|change| make(host, intent, name, change))?;
        left = step.changes(&Node { host, intent })?;
    }
    left.first().map_or(Ok(()), |change| {
        let what = format!("its changes were made, but this is still missing: {change}");
        let cure = "the last lines of the log show what its commands said";
        Err(Failure::new(what, cure).into())
    })
}

/// Makes a change. The receipt notes it first.
fn make<P: Purpose>(
    host: &mut Host,
    intent: &P,
    step: StepName,
    change: &Change<P::Own>,
) -> anyhow::Result<()> {
    match change {
        Change::Write { path, text, mode, then: None, .. } => host.write(step, path, text, *mode),
        Change::Write { path, text, mode, then: Some(then), .. } => {
            host.write_for(step, path, text, *mode, then)
        }
        Change::Remove { path } => host.remove(step, path),
        Change::Make { path, mode } => host.make(step, path, *mode),
        Change::Claim { path, mode } => host.claim(step, path, *mode),
        Change::Install { packages, commands } => {
            commands.iter().try_for_each(|command| host.install(step, command, packages))
        }
        Change::Run { command, undo, files, intention } => {
            host.run(step, command, undo, files, intention.clone())
        }
        Change::Await { command, seconds } => host.await_success(command, *seconds),
        Change::Own(own) => intent.make(host, step, own),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};
    use std::time::Duration;

    use anyhow::bail;

    use super::*;
    use crate::exec::system::SystemExec;
    use crate::receipt::Line;

    /// How many steps have been asked.
    #[derive(Default)]
    struct Asked(Mutex<usize>, Condvar);

    impl Purpose for Asked {
        type Own = String;

        fn begun(&self) -> Option<Line> {
            None
        }

        fn make(&self, _: &mut Host, _: StepName, _: &String) -> anyhow::Result<()> {
            Ok(())
        }
    }

    /// Answers when two steps have been asked.
    struct Waits(StepName);

    impl Step<Asked> for Waits {
        fn name(&self) -> StepName {
            self.0
        }

        fn changes(&self, node: &Node<'_, Asked>) -> anyhow::Result<Vec<Change<String>>> {
            let Asked(asked, more) = node.intent;
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            more.notify_all();
            let patience = Duration::from_secs(60);
            let (_asked, waited) =
                more.wait_timeout_while(asked, patience, |asked| *asked < 2).unwrap();
            if waited.timed_out() { bail!("nobody else was asked") } else { bail!("both were") }
        }
    }

    #[test]
    fn a_plan_asks_all_steps_at_once_and_has_the_first_ones_error() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::look(folder.path(), Box::new(SystemExec { root: None })).unwrap();
        let steps: [&'static dyn Step<Asked>; 2] =
            [&Waits(StepName::Hosts), &Waits(StepName::Swap)];
        let error = plan(&host, &Asked::default(), &steps).err().unwrap();
        assert_eq!(format!("{error:#}"), "planning step `hosts`: both were");
    }
}
