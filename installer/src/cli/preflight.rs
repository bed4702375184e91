//! `installer preflight`, and how problems are printed.

use std::io::{self, Write};

use anyhow::bail;
use bundle_format::text::{indented, plain_json, printable, stderr, stdout};
use serde_json::{Value, json};

use super::node;
use super::options::{Aim, Look};
use crate::engine::run;
use crate::engine::step::Step;
use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::preflight;
use crate::steps::order;

pub(crate) fn preflight(aim: &Aim, look: &Look) -> anyhow::Result<()> {
    let host = node::host(look.root.as_deref())?;
    let intent = node::intent(&host, aim, look.root.as_deref())?;
    node::tell_stranger(&intent);
    let (mut problems, warnings) = preflight::look(&host, &intent);
    // A step that cannot plan is a problem too.
    problems.extend(refusals(&host, &intent, &order::of(&intent)));
    let mut out = stdout();
    if look.json {
        let facts = serde_json::to_value(&intent.facts)?;
        let object = json(&json!({"facts": facts}), &problems, &warnings);
        writeln!(out, "{}", plain_json(&format!("{object:#}")))?;
    } else {
        for (name, fact) in intent.facts.lines() {
            writeln!(out, "{name:<14} {}", printable(&fact.to_string()))?;
        }
        if problems.is_empty() {
            writeln!(out, "\nnothing is in the way of a {}", intent.role)?;
        }
        warn(&warnings)?;
        tell(&problems)?;
    }
    refuse(&problems)
}

/// Why steps cannot plan, the first reason of each.
pub(super) fn refusals(
    host: &Host,
    intent: &Intent,
    steps: &[&'static dyn Step<Intent>],
) -> Vec<Failure> {
    let plans = steps.iter().map(|step| run::plan(host, intent, &[*step]));
    plans.filter_map(Result::err).map(|error| Failure::of(&error)).collect()
}

/// Adds the problems and warnings to a JSON object.
pub(super) fn json(object: &Value, problems: &[Failure], warnings: &[Failure]) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        for (word, plural, all) in
            [("problem", "problems", problems), ("warning", "warnings", warnings)]
        {
            let told = |one: &Failure| {
                let mut told = json!({word: one.to_string(), "cure": one.cure()});
                if let Some(awaited) = one.awaited() {
                    told["awaits"] = json!(awaited);
                }
                told
            };
            let all = all.iter().map(told);
            map.insert(plural.to_owned(), all.collect());
        }
    }
    object
}

/// Prints all problems, each with its cure.
pub(super) fn tell(problems: &[Failure]) -> io::Result<()> {
    print("problem", problems)
}

/// Prints all warnings.
pub(super) fn warn(warnings: &[Failure]) -> io::Result<()> {
    print("warning", warnings)
}

fn print(word: &str, all: &[Failure]) -> io::Result<()> {
    for one in all {
        let (what, cure) = (indented(&one.to_string()), indented(one.cure()));
        writeln!(stderr(), "{word}: {what}\n  hint: {cure}")?;
    }
    Ok(())
}

/// Fails if there are problems.
pub(super) fn refuse(problems: &[Failure]) -> anyhow::Result<()> {
    match problems.len() {
        0 => Ok(()),
        1 => bail!("a problem is in the way; nothing was changed"),
        many => bail!("{many} problems are in the way; nothing was changed"),
    }
}
