//! Which of a bundle's targets fits a node: by the spec's `match`, or by the node's
//! os-release.

use bundle_format::lock::LockedTarget;
use bundle_format::text::brief;

use crate::failure::Failure;
use crate::host::Host;
use crate::node::facts::Facts;
use crate::node::family;
use crate::node::os_release::OsRelease;

/// How well a target fits a node, from least to best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    /// os-release names this platform for its packages.
    Platform,
    /// The family is the system's `ID` with the first number of its version.
    Release,
    /// The family is the system's `ID` with its version.
    Version,
    /// The spec's `match` fits.
    Match,
}

/// The target that fits best; the first of several.
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
        true => by(target, release).map(|(closeness, _)| closeness),
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
        None => Err(none_fits(targets, facts)),
    }
}

/// The fields of the node's os-release by which the target fits.
pub fn reason(target: &LockedTarget, release: &OsRelease) -> Option<String> {
    by(target, release).map(|(_, words)| words)
}

fn by(target: &LockedTarget, release: &OsRelease) -> Option<(Closeness, String)> {
    if !target.systems.is_empty() {
        let mut systems = target.systems.iter();
        let system = systems.find(|system| system.fits(|field| release.get(field)))?;
        return Some((Closeness::Match, format!("its match {system}")));
    }
    let version = release.get("VERSION_ID").unwrap_or_default();
    let major = version.split('.').next().unwrap_or_default();
    let is_called = |version: &str| {
        let own = release.get("ID").map(|id| format!("{id}{version}"));
        own.is_some_and(|own| own.eq_ignore_ascii_case(&target.family))
    };
    let own = || format!("ID={} VERSION_ID={version}", release.get("ID").unwrap_or_default());
    if is_called(version) {
        return Some((Closeness::Version, own()));
    }
    if is_called(major) {
        return Some((Closeness::Release, own()));
    }
    let (platform, words) = family::platform(release)?;
    (platform == target.family).then_some((Closeness::Platform, words))
}

/// The error if none fits: all targets, and what to write for this node.
fn none_fits(targets: &[LockedTarget], facts: &Facts) -> Failure {
    let wanted = targets.iter().map(|target| {
        let (id, architecture) = (&target.id, target.architecture);
        if architecture != facts.architecture {
            return format!("{id} wants {architecture}");
        }
        let systems: Vec<String> = target.systems.iter().map(ToString::to_string).collect();
        match systems.as_slice() {
            [] => format!("{id} needs a system whose os-release says {}", target.family),
            systems => format!("{id} wants {}", systems.join(" or ")),
        }
    });
    let wanted: Vec<String> = wanted.collect();
    let release = &facts.release;
    let field = |name: &str| brief(release.get(name).unwrap_or_default());
    let (id, version) = (field("ID"), field("VERSION_ID"));
    let cure = match id.is_empty() {
        true => {
            "the node's family is unknown without /etc/os-release: restore that file".to_owned()
        }
        false => format!(
            "make a bundle with a target for it, `family: {id}{version}`; or, if its packages are \
             those of one of these targets, say so there in the spec: `match: [{{ID: \"{id}\", \
             VERSION_ID: \"{version}\"}}]`"
        ),
    };
    Failure::new(
        format!(
            "this node is {} ({}, {}), and the bundle has no target for it: {}",
            brief(&facts.system),
            brief(&release.words()),
            facts.architecture,
            wanted.join("; ")
        ),
        cure,
    )
}
