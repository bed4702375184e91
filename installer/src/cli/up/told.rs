//! What `installer up` shows: problems with the names of their nodes, one plan, and how it
//! ended. For people on both outputs; or for a program, one JSON object on standard output.

use std::io::{self, Write};

use bundle_format::KubernetesVersion;
use bundle_format::archive::reader::Bundle;
use bundle_format::signature::NOT_ASKED;
use bundle_format::text::{count, indented, plain_json, printable, stderr, stdout};
use serde_json::{Value, json};

use crate::cli::ended::confirmed;
use crate::failure::Failure;
use crate::site::foreseen::Plan;
use crate::site::machine::Machine;
use crate::site::one::{self, Planned};
use crate::site::outcome::{End, Outcome};
use crate::site::problem::{Problem, grouped};
use crate::site::upgrade;

/// Fails unless the answer is yes.
pub(super) fn agreed(yes: bool, question: &str) -> anyhow::Result<()> {
    if yes || confirmed(question)? {
        return Ok(());
    }
    let cure = "type the same line again to be asked again";
    Err(Failure::new("the answer was not yes", cure).into())
}

/// How it is shown.
pub(super) struct Told {
    /// The longest name's length.
    pub(super) width: usize,
    /// Whether a program reads standard output.
    pub(super) json: bool,
}

impl Told {
    /// A line about a node, while something goes on there.
    pub(super) fn line(&self, machine: &Machine, line: &str) {
        let (width, name) = (self.width, machine.name.to_string());
        // In one piece, because several nodes tell at a time.
        let line = format!("{name:width$}  {}\n", printable(line));
        drop(stderr().write_all(line.as_bytes()));
    }

    /// What is known of a node in the end: in words, or as JSON.
    pub(super) fn node(&self, name: &str, words: &str) -> io::Result<()> {
        let width = self.width;
        if self.json { Ok(()) } else { writeln!(stdout(), "{name:width$}  {words}") }
    }

    /// Prints problems or warnings, each once, with the names of its nodes.
    pub(super) fn problems(&self, word: &str, problems: &[Problem]) -> io::Result<()> {
        for (nodes, problem) in grouped(problems) {
            let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
            let (what, cure) = (indented(&problem.what), indented(&problem.cure));
            writeln!(stderr(), "{word}: {}: {what}\n  hint: {cure}", names.join(", "))?;
        }
        Ok(())
    }

    /// Fails if there are any problems, which were printed already.
    pub(super) fn refuse(&self, problems: &[Problem]) -> anyhow::Result<()> {
        if problems.is_empty() {
            return Ok(());
        }
        self.end(&[], problems)?;
        let mut nodes: Vec<String> =
            problems.iter().map(|problem| problem.node.to_string()).collect();
        nodes.sort();
        nodes.dedup();
        let nodes = count(nodes.len(), "node");
        let what = match problems.len() {
            1 => "a problem is".to_owned(),
            many => format!("{many} problems are"),
        };
        let what = format!("{what} in the way on {nodes}; no node was changed");
        Err(Failure::new(what, "solve them, or name the other nodes with --only").into())
    }

    /// The end, for a program.
    pub(super) fn end(&self, nodes: &[Value], problems: &[Problem]) -> io::Result<()> {
        if !self.json {
            return Ok(());
        }
        let problem =
            |one: &Problem| json!({"node": one.node, "problem": one.what, "cure": one.cure});
        let problems: Vec<Value> = problems.iter().map(problem).collect();
        let object = json!({"nodes": nodes, "problems": problems});
        writeln!(stdout(), "{}", plain_json(&format!("{object:#}")))
    }

    /// Prints the one plan: a line a node, or each change.
    pub(super) fn plan(
        &self,
        bundle: &Bundle,
        planned: &[Planned<'_, '_>],
        is_whole: bool,
    ) -> io::Result<()> {
        let is = |one: &Planned<'_, '_>| {
            let (node, plan) = one;
            let (role, changes) = (node.machine.role, count(plan.changes(), "change"));
            match (one::is_done(one), node.standing.is_in_cluster()) {
                (true, _) => format!("is a {role} already; nothing to do"),
                (false, true) => format!("is a {role}; {changes}"),
                (false, false) => format!("becomes a {role}; {changes}"),
            }
        };
        self.lines(bundle, planned, is_whole.then_some(&|_| true), &is)
    }

    /// The same for an upgrade to a release; none if all nodes have everything.
    pub(super) fn upgrades(
        &self,
        bundle: &Bundle,
        planned: &[Planned<'_, '_>],
        release: Option<&KubernetesVersion>,
        is_whole: bool,
    ) -> io::Result<()> {
        let is_done = |one: &Planned<'_, '_>| upgrade::is_done(one, release);
        let is = |one: &Planned<'_, '_>| {
            let (role, changes) = (one.0.machine.role, count(one.1.changes(), "change"));
            match (is_done(one), release) {
                (false, Some(to)) => format!("is a {role}, gets {to}; {changes}"),
                _ => format!("is a {role}; nothing to do now"),
            }
        };
        self.lines(bundle, planned, is_whole.then_some(&|one| !is_done(one)), &is)
    }

    /// A line a node, and each change of those that are shown whole.
    fn lines(
        &self,
        bundle: &Bundle,
        planned: &[Planned<'_, '_>],
        whole: Option<&dyn Fn(&Planned<'_, '_>) -> bool>,
        is: &dyn Fn(&Planned<'_, '_>) -> String,
    ) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        let (mut out, lock) = (stdout(), bundle.lock());
        let nodes = count(planned.len(), "node");
        writeln!(out, "Kubernetes {} from the bundle {} on {nodes}", lock.kubernetes, lock.name)?;
        if let Some(address) = bundle.address() {
            writeln!(out, "each node reads what it needs at {}", printable(address))?;
        }
        match bundle.signed() {
            Some(signed) => writeln!(out, "the bundle is signed: {signed}")?,
            None => writeln!(out, "{NOT_ASKED}")?,
        }
        for one in planned {
            let (node, plan) = one;
            let words = format!("{}  {}", node.address(), is(one));
            self.node(&node.machine.name.to_string(), &words)?;
            if whole.is_some_and(|is_whole| is_whole(one)) {
                self.changes(plan)?;
            }
        }
        Ok(())
    }

    fn changes(&self, plan: &Plan) -> io::Result<()> {
        for step in plan.steps.iter().filter(|step| !step.changes.is_empty()) {
            self.node("", &format!("  {}", step.step))?;
            for change in &step.changes {
                self.node("", &format!("    {}", printable(change)))?;
            }
        }
        Ok(())
    }

    /// Nothing was to be done, as the plan said.
    pub(super) fn already(&self, planned: &[Planned<'_, '_>]) -> anyhow::Result<()> {
        let name = |(node, _): &Planned<'_, '_>| json!({"name": node.machine.name, "end": "already", "says": ""});
        Ok(self.end(&planned.iter().map(name).collect::<Vec<_>>(), &[])?)
    }

    /// Prints how it ended for each node.
    pub(super) fn finished(&self, outcomes: &[Outcome]) -> anyhow::Result<()> {
        for outcome in outcomes {
            let words = match &outcome.end {
                End::Already => "was done already".to_owned(),
                End::Done(words) => printable(words),
                End::Failed(words) => format!("failed\n    {}", indented(words)),
                End::Left(why) => format!("was not finished: {}", printable(why)),
            };
            self.node(&outcome.node.to_string(), &words)?;
        }
        let nodes: Vec<Value> = outcomes.iter().map(as_json).collect();
        self.end(&nodes, &[])?;
        let bad: Vec<String> = outcomes
            .iter()
            .filter(|outcome| !outcome.is_good())
            .map(|outcome| outcome.node.to_string())
            .collect();
        if bad.is_empty() {
            return Ok(());
        }
        let all = count(outcomes.len(), "node");
        Err(Failure::new(
            format!("{} of {all} not done: {}", bad.len(), bad.join(", ")),
            "fix that, and type the same line again: it goes on with what is missing",
        )
        .into())
    }
}

fn as_json(outcome: &Outcome) -> Value {
    let (is, words) = match &outcome.end {
        End::Already => ("already", ""),
        End::Done(words) => ("done", words.as_str()),
        End::Failed(words) => ("failed", words.as_str()),
        End::Left(why) => ("notFinished", why.as_str()),
    };
    json!({"name": outcome.node, "end": is, "says": words})
}
