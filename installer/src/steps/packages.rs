//! The bundle's packages, put in by the node's own dnf or yum from the bundle
//! alone, with settings of their own ([`super::repository`]).

use std::collections::BTreeSet;

use anyhow::bail;
use bundle_format::Nevra;

use super::repository::CONFIGURATION;
use crate::change::Change;
use crate::exec::Command;
use crate::family::packager;
use crate::host::Host;
use crate::packages::PackageChange;
use crate::packages::compared::{Compared, compare};
use crate::packages::installed::Installed;
use crate::step::{Intent, Node, Step};

/// See the module.
pub struct Packages;

impl Step for Packages {
    fn name(&self) -> &'static str {
        "packages"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let compared = compare(&Installed::of(node.host)?, node.intent);
        if compared.changes.is_empty() {
            return Ok(Vec::new());
        }
        let commands = commands(packager(node.host), &compared);
        let packages = compared.changes.into_iter().map(|(_, change)| change).collect();
        Ok(vec![Change::Install { packages, commands }])
    }

    fn cure(&self) -> Option<&'static str> {
        Some(
            "mend what dnf or yum says there, or wait until another of them has ended, and run this again",
        )
    }
}

/// What has dnf, or yum, do it.
fn commands(tool: &str, compared: &Compared<'_>) -> Vec<Command> {
    let mut base = Command::new([tool, "--assumeyes", "--config", CONFIGURATION]);
    // What the node has in a newer version must not go back for the sake of others.
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
    // yum's `install` skips what is there in a newer version.
    let (older, others): (Vec<_>, Vec<_>) = changes.partition(|change| change.is_downgrade());
    command("downgrade", older).into_iter().chain(command("install", others)).collect()
}

/// The packages of the lock that are still to be put in.
pub(crate) fn missing<'a>(host: &Host, intent: &'a Intent) -> anyhow::Result<Vec<&'a Nevra>> {
    let compared = compare(&Installed::of(host)?, intent);
    Ok(compared.changes.into_iter().map(|(locked, _)| &locked.package).collect())
}

/// The names of all packages that are installed.
pub(crate) fn names(host: &Host) -> anyhow::Result<BTreeSet<String>> {
    Ok(Installed::of(host)?.names().map(str::to_owned).collect())
}

/// Whether rpm has a package, or a vendor's key, of this name.
pub(crate) fn has(host: &Host, name: &str) -> anyhow::Result<bool> {
    Ok(query(host, &Command::of("rpm -q --").with(name))?.is_some())
}

/// What `rpm -q` says of one package, or of a vendor's key; none where rpm has no
/// such package, or is not there itself.
pub(crate) fn query(host: &Host, command: &Command) -> anyhow::Result<Option<String>> {
    let said = host.answer(command)?;
    if said.succeeded() {
        return Ok(Some(said.stdout));
    }
    if said.status != Some(127) && !said.stdout.contains("not installed") {
        bail!("`{command}` does not answer: {}", said.stderr.trim());
    }
    Ok(None)
}
