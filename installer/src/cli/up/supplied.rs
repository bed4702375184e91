//! The nodes that were reached and have the bundle.

use super::told::Told;
use crate::site::met::{Met, Site};
use crate::site::problem::Problem;
use crate::site::supply::supply;

/// Meets all nodes, and gives them the bundle. Problems are told as soon as they are known:
/// nobody waits for copies to learn that a node is switched off.
pub(super) fn supplied<'a>(
    site: &Site<'a>,
    told: &Told,
) -> anyhow::Result<(Vec<Met<'a>>, Vec<Problem>)> {
    let (met, mut problems) = site.meet();
    told.problems("problem", &problems)?;
    let of_copies = supply(site, &met);
    told.problems("problem", &of_copies)?;
    problems.extend(of_copies);
    Ok((met, problems))
}

/// The nodes that have the bundle. They are asked also if others have problems, so that all
/// problems are told in one run.
pub(super) fn asked<'a, 'b>(met: &'b [Met<'a>], problems: &[Problem]) -> Vec<&'b Met<'a>> {
    let is_supplied = |node: &&Met<'_>| {
        node.machine.is_meant && problems.iter().all(|one| one.node != node.machine.name)
    };
    met.iter().filter(is_supplied).collect()
}
