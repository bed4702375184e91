//! The error if no target fits a node: what the node calls itself, whom each target is
//! for, and what to write into the spec.

use bundle_format::lock::LockedTarget;
use bundle_format::text::brief;

use super::fit::fit;
use crate::failure::Failure;
use crate::node::facts::Facts;
use crate::node::family::{self, el};
use crate::node::os_release::OsRelease;

/// How many targets the cure offers to widen.
const OFFERED: usize = 3;

/// The error for a node that no target fits.
pub(super) fn failure(targets: &[LockedTarget], facts: &Facts) -> Failure {
    let release = &facts.release;
    let wanted: Vec<String> = targets.iter().map(|target| whom(target, facts)).collect();
    let what = format!(
        "this node is {} ({}, {}), and the bundle has no target for it: {}",
        brief(&facts.system),
        brief(&release.words()),
        facts.architecture,
        wanted.join("; ")
    );
    if release.get("ID").is_none_or(str::is_empty) && family::name(release).is_none() {
        let cure = "the node's family is unknown without /etc/os-release: restore that file";
        return Failure::new(what, cure);
    }
    let mut ways = vec![add(targets, facts)];
    ways.extend(widen(targets, facts));
    let ways: Vec<String> = ways.into_iter().flatten().collect();
    let cure = format!(
        "change the spec, and run `bundler lock` and `bundler build` again: {}",
        ways.join("; or ")
    );
    Failure::new(what, cure)
}

/// Whom a target is for.
fn whom(target: &LockedTarget, facts: &Facts) -> String {
    let (id, family) = (brief(&target.id), brief(&target.family));
    if target.architecture != facts.architecture {
        return match fit(target, &facts.release) {
            Some(_) => format!("{id} is for this system, but for {}", target.architecture),
            None => format!("{id} is for {}", target.architecture),
        };
    }
    if !target.systems.is_empty() {
        let systems: Vec<String> = target.systems.iter().map(ToString::to_string).collect();
        return format!("{id} is for {}", brief(&systems.join(" or ")));
    }
    match el(&target.family) {
        Some(8..) => format!("{id} is for PLATFORM_ID=platform:{family}"),
        Some(release) => format!("{id} is for version {release} of RHEL and its rebuilds"),
        None => format!(
            "{id} is for a system whose PLATFORM_ID, or ID and VERSION_ID together, say {family}"
        ),
    }
}

/// The target to add. `None` if the bundle has one of that name already, or one whose
/// name lacks only the version.
fn add(targets: &[LockedTarget], facts: &Facts) -> Option<String> {
    let here = facts.architecture;
    let other = targets
        .iter()
        .find(|target| target.architecture != here && fit(target, &facts.release).is_some());
    let own = targets.iter().filter(|target| target.architecture == here);
    if own.clone().any(|target| lacks_version(target, &facts.release)) {
        return None;
    }
    let is_there = |family: &str| own.clone().any(|one| one.family.eq_ignore_ascii_case(family));
    if let Some(other) = other.filter(|other| !is_there(&other.family)) {
        return Some(format!(
            "add a target like {}, with `architecture: {here}`",
            brief(&other.id)
        ));
    }
    match family::name(&facts.release) {
        Some(name) if is_there(&name) => None,
        Some(name) => {
            Some(format!("add a target with `family: {name}` and `architecture: {here}`"))
        }
        None => Some(format!(
            "add a target with a `family` of your own naming, `architecture: {here}` and `match: [{}]`",
            entry(&facts.release)
        )),
    }
}

/// The changes that would let the targets fit whose packages may be right. el8's are
/// not right for el9.
fn widen(targets: &[LockedTarget], facts: &Facts) -> Vec<Option<String>> {
    let release = &facts.release;
    let own = family::name(release);
    let may_be_right = |target: &&LockedTarget| {
        let of_another_el = el(&target.family).is_some()
            && own.as_deref().is_some_and(|own| el(own).is_some() && own != target.family);
        target.architecture == facts.architecture && !of_another_el
    };
    let mut right: Vec<&LockedTarget> = targets.iter().filter(may_be_right).collect();
    let id = release.get("ID").unwrap_or_default().to_lowercase();
    let is_near = |target: &&LockedTarget| target.family.to_lowercase().starts_with(&id);
    if right.iter().any(is_near) {
        right.retain(is_near);
    }
    let way = |target: &&LockedTarget| {
        Some(format!(
            "if the packages of {} are right for this node, {}",
            brief(&target.id),
            widened(target, release)
        ))
    };
    right.iter().take(OFFERED).map(way).collect()
}

/// What to write into a target so that it fits. A target with `match` is only for the
/// nodes that it lists, so the entries must keep those that it is for today.
fn widened(target: &LockedTarget, release: &OsRelease) -> String {
    let own = entry(release);
    if !target.systems.is_empty() {
        return format!("add `{own}` to its `match`");
    }
    let family = brief(&target.family);
    match (el(&target.family), family::name(release)) {
        (Some(8..), _) => {
            format!("write there `match: [{own}, {{PLATFORM_ID: \"platform:{family}\"}}]`")
        }
        (None, Some(name)) if lacks_version(target, release) => {
            format!("write there `family: {name}`: `{family}` without a version fits no node")
        }
        _ => format!(
            "write there `match: [{own}]`, and an entry for each other system that it is for"
        ),
    }
}

/// Whether the family is the system's `ID` alone.
fn lacks_version(target: &LockedTarget, release: &OsRelease) -> bool {
    let id = release.get("ID").unwrap_or_default();
    target.systems.is_empty() && target.family.eq_ignore_ascii_case(id)
}

/// The entry of `match` for this system.
fn entry(release: &OsRelease) -> String {
    let fields = ["ID", "VERSION_ID"].into_iter().filter_map(|name| {
        let value = release.get(name).filter(|value| !value.is_empty())?;
        // A JSON text is a text of YAML.
        Some(format!("{name}: {}", serde_json::Value::from(brief(value).to_string())))
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}
