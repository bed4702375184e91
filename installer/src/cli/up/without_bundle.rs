//! What `installer up` does without a bundle: ask all nodes, or take them back.

use std::io::Write;

use anyhow::bail;
use bundle_format::text::{count, indented, printable, stdout};

use super::told::{finished, refuse, tell_problems};
use crate::cli::ended::confirmed;
use crate::failure::Failure;
use crate::site::met::{Met, Site};
use crate::site::run;
use crate::site::side_by_side::each;

/// Prints what each node is. Fails if one is not Ready.
pub(super) fn status(site: &Site<'_>, width: usize) -> anyhow::Result<()> {
    let (met, problems) = site.meet();
    show_standing(&met, width)?;
    tell_problems("problem", &problems)?;
    let all = site.machines.len();
    let well = met.iter().filter(|node| node.standing.is_well()).count();
    if well < all {
        bail!(Failure::new(
            format!("{} of {} not Ready", all - well, count(all, "node")),
            "`installer up --doctor` says why",
        ));
    }
    Ok(())
}

fn show_standing(met: &[Met<'_>], width: usize) -> std::io::Result<()> {
    let mut out = stdout();
    for node in met {
        let name = node.machine.name.to_string();
        writeln!(out, "{name:width$}  {}", printable(&node.standing.words()))?;
    }
    Ok(())
}

/// Prints what is wrong with each node. Fails if something is, or a node was not asked.
pub(super) fn doctor(site: &Site<'_>, width: usize) -> anyhow::Result<()> {
    let (met, problems) = site.meet();
    let all = each(&met, site.parallel, |node| node.far().doctor());
    let mut out = stdout();
    let mut well = 0;
    for (node, said) in met.iter().zip(all) {
        let name = node.machine.name.to_string();
        let words = match said {
            Ok(said) => {
                well += usize::from(said.succeeded());
                if said.stdout.trim().is_empty() { said.end() } else { said.stdout }
            }
            Err(error) => format!("could not be asked: {error:#}"),
        };
        writeln!(out, "{name:width$}  {}", indented(&words))?;
    }
    tell_problems("problem", &problems)?;
    if well < site.machines.len() {
        let (bad, all) = (site.machines.len() - well, count(site.machines.len(), "node"));
        bail!(Failure::new(
            format!("something is wrong with {bad} of {all}"),
            "the first cause of a master is the one to begin with",
        ));
    }
    Ok(())
}

/// Takes all nodes back, after a question.
pub(super) fn reset(site: &Site<'_>, width: usize, yes: bool) -> anyhow::Result<()> {
    let (met, problems) = site.meet();
    refuse(&problems)?;
    show_standing(&met, width)?;
    let what = format!(
        "Take back all that was done to {}? Their pods and their data go.",
        count(met.len(), "node")
    );
    if !(yes || confirmed(&what)?) {
        return Ok(());
    }
    finished(&run::reset(site, &met), width)
}
