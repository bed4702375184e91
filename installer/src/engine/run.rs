//! The plan and the run. Both ask each step what is still to change.

use std::thread;
use std::time::Instant;

use anyhow::Context;

use crate::engine::change::Change;
use crate::engine::step::{Node, Purpose, Step};
use crate::exec::joined;
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

/// Asks all steps, and changes nothing. They are asked at once, because each only looks and
/// mostly waits for programs such as firewall-cmd and kubectl. The first of several errors
/// counts.
pub fn plan<P: Purpose>(
    host: &Host,
    intent: &P,
    steps: &[&'static dyn Step<P>],
) -> anyhow::Result<Vec<Planned<P>>> {
    let node = &Node { host, intent };
    let asked = |step: &'static dyn Step<P>| {
        let changes =
            step.changes(node).with_context(|| format!("planning step `{}`", step.name()))?;
        Ok(Planned { step, changes })
    };
    thread::scope(|scope| {
        let asking: Vec<_> = steps.iter().map(|step| scope.spawn(|| asked(*step))).collect();
        asking.into_iter().map(joined).collect()
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

    use super::*;
    use crate::exec::system::SystemExec;
    use crate::receipt::Line;

    /// Counts the steps that are asked right now.
    #[derive(Default)]
    struct Meeting {
        asked: Mutex<usize>,
        came: Condvar,
    }

    impl Purpose for Meeting {
        type Own = String;

        fn begun(&self) -> Option<Line> {
            None
        }

        fn make(&self, _: &mut Host, _: StepName, _: &String) -> anyhow::Result<()> {
            Ok(())
        }
    }

    /// Answers only when all three are asked, and fails if it has a reason.
    struct Meets(StepName, Option<&'static str>);

    impl Step<Meeting> for Meets {
        fn name(&self) -> StepName {
            self.0
        }

        fn changes(&self, node: &Node<'_, Meeting>) -> anyhow::Result<Vec<Change<String>>> {
            let Meeting { asked, came } = node.intent;
            let mut now = asked.lock().unwrap();
            *now += 1;
            came.notify_all();
            let limit = Duration::from_secs(500);
            let (now, ended) = came.wait_timeout_while(now, limit, |now| *now < 3).unwrap();
            assert!(!ended.timed_out(), "{} of 3 are asked", *now);
            self.1.map_or(Ok(Vec::new()), |reason| anyhow::bail!(reason))
        }
    }

    fn planned(steps: &[&'static dyn Step<Meeting>]) -> anyhow::Result<Vec<StepName>> {
        let root = tempfile::tempdir().unwrap();
        let host = Host::look(root.path(), Box::new(SystemExec { root: None })).unwrap();
        let plan = plan(&host, &Meeting::default(), steps)?;
        Ok(plan.iter().map(|planned| planned.step.name()).collect())
    }

    #[test]
    fn all_steps_are_asked_at_once_and_told_in_their_order() {
        let good = planned(&[
            &Meets(StepName::Swap, None),
            &Meets(StepName::Hosts, None),
            &Meets(StepName::Time, None),
        ]);
        assert_eq!(good.unwrap(), [StepName::Swap, StepName::Hosts, StepName::Time]);
        let bad = planned(&[
            &Meets(StepName::Swap, None),
            &Meets(StepName::Hosts, Some("one")),
            &Meets(StepName::Time, Some("two")),
        ]);
        assert_eq!(format!("{:#}", bad.unwrap_err()), "planning step `hosts`: one");
    }
}
