//! Which of a bundle's targets fits a node: by the spec's `match`, or by the node's
//! os-release.

mod fit;
mod unmatched;

use bundle_format::lock::LockedTarget;
use bundle_format::text::brief;

use self::fit::{Closeness, fit};

use crate::failure::Failure;
use crate::host::Host;
use crate::node::facts::Facts;
use crate::node::family;
use crate::node::os_release::OsRelease;

/// The target that fits best; of several that fit equally well, the spec's first.
pub fn choose(
    host: &Host,
    targets: &[LockedTarget],
    facts: &Facts,
) -> Result<LockedTarget, Failure> {
    let release = &facts.release;
    if let Some(tool) = family::foreign(host, release) {
        return Err(Failure::new(
            format!(
                "this node is {} ({}), which installs packages by {tool}",
                brief(&facts.system),
                brief(&release.words())
            ),
            "use a node whose distribution has dnf or yum, which install the bundle's packages",
        ));
    }
    let fits = |target: &LockedTarget| match target.architecture == facts.architecture {
        true => fit(target, release).map(|(closeness, _)| closeness),
        false => None,
    };
    let mut best: Option<(Closeness, &LockedTarget)> = None;
    for target in targets {
        if let Some(own) = fits(target)
            && best.is_none_or(|(other, _)| own > other)
        {
            best = Some((own, target));
        }
    }
    match best {
        Some((_, target)) => Ok(target.clone()),
        None => Err(unmatched::failure(targets, facts)),
    }
}

/// The fields of the node's os-release by which the target fits.
pub fn reason(target: &LockedTarget, release: &OsRelease) -> Option<String> {
    fit(target, release).map(|(_, words)| words)
}
