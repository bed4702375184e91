//! `installer up --upgrade`: all nodes to the bundle's release.

use std::io::Write;

use anyhow::Result;
use bundle_format::archive::reader::Bundle;
use bundle_format::text::stderr;

use super::supplied::{asked, supplied};
use super::told::{Told, agreed};
use crate::site::met::Site;
use crate::site::one::Planned;
use crate::site::upgrade::{self, Manner};

/// How far a run goes.
pub(super) struct Way {
    /// Only to the plan.
    pub(super) dry_run: bool,
    /// Without a question.
    pub(super) yes: bool,
}

pub(super) fn upgrade(
    way: &Way,
    manner: Manner,
    site: &Site<'_>,
    bundle: &Bundle,
    told: &Told,
) -> Result<()> {
    let (met, mut problems) = supplied(site, told)?;
    let nodes = asked(&met, &problems);
    let foreseen = upgrade::foresee(site, &nodes, manner);
    told.problems("warning", &foreseen.warnings)?;
    told.problems("problem", &foreseen.problems)?;
    problems.extend(foreseen.problems);
    told.refuse(&problems)?;
    let plans = nodes.iter().copied().zip(foreseen.plans.iter().flatten());
    let planned: Vec<Planned<'_, '_>> = plans.collect();
    let release = upgrade::release_of(&planned);
    told.upgrades(bundle, &planned, release.as_ref(), way.dry_run)?;
    let Some(release) = release else { return told.already(&planned) };
    if way.dry_run {
        writeln!(stderr(), "nothing was changed")?;
        return Ok(());
    }
    agreed(way.yes, "Upgrade all of them?")?;
    told.finished(&upgrade::upgrade(site, &planned, manner))?;
    match bundle.releases().find(|one| one.minor() > release.minor()) {
        Some(next) => writeln!(stderr(), "next:  the same line again, for Kubernetes {next}")?,
        None => writeln!(
            stderr(),
            "next:  on each node `installer upgrade --finish`, or `--back`: `installer manual \
             upgrade` says in which order"
        )?,
    }
    Ok(())
}
