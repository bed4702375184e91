//! The packages of before. Their files are still in the node's repository, and the copy has
//! that repository's lists.

use std::collections::BTreeMap;
use std::path::Path;

use bundle_format::Nevra;

use crate::exec::Command;
use crate::host::Host;
use crate::host::package_change::PackageChange;
use crate::node::family::packager;
use crate::node::paths::{DNF_CONFIG, PACKAGES};
use crate::node::rpm::Installed;
use crate::receipt::{Deed, Line, since_upgrade};

/// What happens to packages on the way back.
#[derive(Default)]
pub(super) struct Packages {
    /// Those that go back.
    pub(super) changes: Vec<PackageChange>,
    /// Those whose file of before is not there.
    pub(super) missing: Vec<Nevra>,
}

impl Packages {
    pub(super) fn of(host: &Host) -> anyhow::Result<Self> {
        let installed = Installed::of(host)?;
        let mut all = Self::default();
        for was in replaced(host.lines()) {
            let newer = installed.named(&was.name).find(|now| now.arch == was.arch);
            let Some(newer) = newer.filter(|now| now.evr > was.evr) else { continue };
            if host.exists(Path::new(PACKAGES).join(was.file_name())) {
                let from = Some(newer.evr.clone());
                all.changes.push(PackageChange { package: was, from });
            } else {
                all.missing.push(was);
            }
        }
        Ok(all)
    }

    /// The command of dnf or yum.
    pub(super) fn command(&self, host: &Host) -> Command {
        let tool = packager(host);
        // yum has a command of its own for this.
        let verb = if tool == "dnf" { "install" } else { "downgrade" };
        let begun = Command::new([tool, "--assumeyes", "--config", DNF_CONFIG, verb, "--"]);
        let names = self.changes.iter().map(|change| change.package.to_string());
        names.fold(begun, Command::with)
    }
}

/// The packages that the upgrade replaced, as they were before it.
fn replaced(lines: &[Line]) -> Vec<Nevra> {
    let mut first: BTreeMap<(String, String), Nevra> = BTreeMap::new();
    for line in since_upgrade(lines) {
        let Line::Deed { deed: Deed::Installed { replaced, .. }, .. } = line else { continue };
        for one in replaced.iter().filter(|one| one.was.evr < one.is.evr) {
            let key = (one.was.name.clone(), one.was.arch.clone());
            first.entry(key).or_insert_with(|| one.was.clone());
        }
    }
    first.into_values().collect()
}
