//! What `installer up` does without a bundle: ask all nodes, or take them back.

use anyhow::bail;
use bundle_format::parallel::each;
use bundle_format::text::{count, indented, printable};
use serde_json::json;

use super::told::{Told, agreed};
use crate::failure::Failure;
use crate::site::met::{Met, Site};
use crate::site::run;

/// Prints what each node is. Fails if one is not Ready.
pub(super) fn status(site: &Site<'_>, told: &Told) -> anyhow::Result<()> {
    let (met, problems) = site.meet();
    show_standing(&met, told)?;
    told.problems("problem", &problems)?;
    let node = |node: &Met<'_>| {
        json!({"name": node.machine.name, "ready": node.standing.is_well(),
               "status": node.standing.whole})
    };
    told.end(&met.iter().map(node).collect::<Vec<_>>(), &problems)?;
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

fn show_standing(met: &[Met<'_>], told: &Told) -> std::io::Result<()> {
    met.iter().try_for_each(|node| {
        let words = format!("{}  {}", node.address(), node.standing.words());
        told.node(&node.machine.name.to_string(), &printable(&words))
    })
}

/// Prints what is wrong with each node. Fails if something is, or a node was not asked.
pub(super) fn doctor(site: &Site<'_>, told: &Told) -> anyhow::Result<()> {
    let (met, problems) = site.meet();
    let all = each(&met, site.parallel, |node| node.far().doctor());
    let (mut well, mut nodes) = (0, Vec::new());
    for (node, said) in met.iter().zip(all) {
        let (is_well, words) = match said {
            Ok(said) if said.stdout.trim().is_empty() => (said.succeeded(), said.end()),
            Ok(said) => (said.succeeded(), said.stdout),
            Err(error) => (false, format!("could not be asked: {error:#}")),
        };
        well += usize::from(is_well);
        told.node(&node.machine.name.to_string(), &indented(&words))?;
        nodes.push(json!({"name": node.machine.name, "well": is_well, "says": words}));
    }
    told.problems("problem", &problems)?;
    told.end(&nodes, &problems)?;
    let all = site.machines.len();
    if well < all {
        bail!(Failure::new(
            format!("something is wrong with {} of {}", all - well, count(all, "node")),
            "the first cause of a master is the one to begin with",
        ));
    }
    Ok(())
}

/// Takes all nodes back, after a question.
pub(super) fn reset(site: &Site<'_>, told: &Told, yes: bool) -> anyhow::Result<()> {
    let (met, problems) = site.meet();
    told.problems("problem", &problems)?;
    told.refuse(&problems)?;
    show_standing(&met, told)?;
    let all = count(met.len(), "node");
    let what = format!("Take back all that was done to {all}? Their pods and their data go.");
    agreed(yes, &what)?;
    told.finished(&run::reset(site, &met))
}
