//! The bundle's packages, installed by the node's own dnf or yum from the bundle's
//! repository only, with settings of ours ([`super::repository`]).

pub(crate) mod compared;

use std::collections::BTreeSet;

use bundle_format::Nevra;

use crate::engine::step::Step;
use crate::exec::Command;
use crate::host::Host;
use crate::host::package_change::PackageChange;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::family::packager;
use crate::node::paths::DNF_CONFIG;
use crate::node::rpm::{self, Installed};
use crate::receipt::{Deed, Line, StepName};
use crate::steps::file::claims;
use crate::steps::packages::compared::{Compared, compare};

/// The folder of CNI's programs. The package `kubernetes-cni` brings some, and pods of the
/// network copy their own there, which go with the folder.
const NETWORK_PROGRAMS: &str = "/opt/cni";

/// Installs the packages.
pub struct Packages;

impl Step<Intent> for Packages {
    fn name(&self) -> StepName {
        StepName::Packages
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        only(node, &|_| true)
    }

    fn cure(&self) -> Option<&'static str> {
        Some(
            "fix what dnf or yum reports, or wait until the other one has ended, and run this \
             again",
        )
    }
}

/// The changes that bring those packages of the bundle that are meant.
pub(crate) fn only(
    node: &Node<'_>,
    is_meant: &dyn Fn(&Nevra) -> bool,
) -> anyhow::Result<Vec<Change>> {
    let installed = Installed::of(node.host)?;
    let mut compared = compare(&installed, node.intent);
    compared.changes.retain(|(locked, _)| is_meant(&locked.package));
    let left = left(node, &installed).into_iter().filter(|one| is_meant(one));
    let left: Vec<Nevra> = left.collect();
    let erase = (!left.is_empty()).then(|| rpm::command("rpm --erase --", &left));
    let erase = erase.map(Change::run_command);
    if compared.changes.is_empty() {
        return Ok(erase.into_iter().collect());
    }
    let commands = commands(packager(node.host), &compared);
    let mut changes = Vec::new();
    if compared.changes.iter().any(|(locked, _)| locked.package.name == "kubernetes-cni") {
        changes.extend(claims(node.host, &[NETWORK_PROGRAMS])?);
    }
    let packages = compared.changes.into_iter().map(|(_, change)| change).collect();
    changes.push(Change::Install { packages, commands });
    changes.extend(erase);
    Ok(changes)
}

/// Packages that we were replacing with the bundle's, and that are still there beside these:
/// the power went in the middle of the transaction, which installs first and erases then. The
/// files are the bundle's, and rpm leaves them when it erases the other package.
fn left(node: &Node<'_>, installed: &Installed) -> BTreeSet<Nevra> {
    let of_bundle = |package: &Nevra| {
        let mut own = node.intent.lock().rpms.iter();
        own.any(|rpm| rpm.target == node.intent.target.id && rpm.package == *package)
    };
    let replaced = node.host.lines().iter().filter_map(|line| match line {
        Line::Deed { deed: Deed::Installed { replaced, .. }, .. } => Some(replaced),
        _ => None,
    });
    let both = replaced.flatten().filter(|one| installed.has(&one.was) && installed.has(&one.is));
    both.filter(|one| of_bundle(&one.is)).map(|one| one.was.clone()).collect()
}

/// The commands of dnf or yum.
fn commands(tool: &str, compared: &Compared<'_>) -> Vec<Command> {
    let mut base = Command::new([tool, "--assumeyes", "--config", DNF_CONFIG]);
    // dnf would downgrade a newer package if another one needs that.
    for newer in &compared.newer {
        base = base.with(format!("--exclude={}", newer.locked.package));
    }
    let command = |verb: &str, changes: Vec<&PackageChange>| {
        let begun = base.clone().with(verb).with("--");
        let named = changes.iter().map(|change| change.package.to_string());
        (!changes.is_empty()).then(|| named.fold(begun, Command::with))
    };
    let changes = compared.changes.iter().map(|(_, change)| change);
    if tool == "dnf" {
        return command("install", changes.collect()).into_iter().collect();
    }
    // yum's `install` skips a package of which a newer version is installed.
    let (older, others): (Vec<_>, Vec<_>) = changes.partition(|change| change.is_downgrade());
    command("downgrade", older).into_iter().chain(command("install", others)).collect()
}

/// The packages of the lock that are still to be installed.
pub(crate) fn missing<'a>(host: &Host, intent: &'a Intent) -> anyhow::Result<Vec<&'a Nevra>> {
    let compared = compare(&Installed::of(host)?, intent);
    Ok(compared.changes.into_iter().map(|(locked, _)| &locked.package).collect())
}

/// The names of all packages that are installed.
pub(crate) fn names(host: &Host) -> anyhow::Result<BTreeSet<String>> {
    Ok(Installed::of(host)?.names().map(str::to_owned).collect())
}
