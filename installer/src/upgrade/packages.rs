//! The packages of before. Their files are still in the node's repository, and the copy has
//! that repository's lists.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bundle_format::Nevra;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::host::package_change::PackageChange;
use crate::node::family::packager;
use crate::node::paths::{DNF_CONFIG, PACKAGES};
use crate::node::rpm::Installed;
use crate::receipt::{Deed, Line, Replaced, since_upgrade};

/// How long rpm may take to say whether it would do it.
const PATIENCE: Duration = Duration::from_secs(120);

/// What happens to packages on the way back.
#[derive(Default)]
pub(super) struct Packages {
    /// Those that go back.
    pub(super) changes: Vec<PackageChange>,
    /// Those whose file of before is not there.
    pub(super) missing: Vec<Nevra>,
    /// Those that are there already, beside a newer one: a transaction was cut short.
    pub(super) twice: Vec<PackageChange>,
}

impl Packages {
    pub(super) fn of(host: &Host) -> anyhow::Result<Self> {
        let installed = Installed::of(host)?;
        let mut all = Self::default();
        for Replaced { was, is } in replaced(host.lines()) {
            let newer = installed.named(&was.name).filter(|now| now.arch == was.arch).max();
            let Some(newer) = newer.filter(|now| now.evr > was.evr) else { continue };
            // Somebody else has brought another one since, and may need it.
            if !is_of_cluster(&was.name) && *newer != is {
                continue;
            }
            if !host.exists(Path::new(PACKAGES).join(was.file_name())) {
                all.missing.push(was);
                continue;
            }
            let kind = if installed.has(&was) { &mut all.twice } else { &mut all.changes };
            kind.push(PackageChange { from: Some(newer.evr.clone()), package: was });
        }
        Ok(all)
    }

    /// Whether nothing is left to do.
    pub(super) fn are_back(&self) -> bool {
        self.changes.is_empty() && self.twice.is_empty()
    }

    /// Why rpm would refuse; none if it would not. dnf is asked only when the control plane
    /// has ended, which is too late for a no.
    pub(super) fn refusal(&self, host: &Host) -> anyhow::Result<Option<Failure>> {
        if self.are_back() {
            return Ok(None);
        }
        let again = if self.twice.is_empty() { "" } else { "--replacepkgs " };
        let line = format!("rpm -U --test --oldpackage {again}--");
        let all = self.changes.iter().chain(&self.twice);
        let command = files(all).fold(Command::of(&line), Command::with);
        let reason = match host.answer_within(&command, PATIENCE)? {
            Some(said) if said.succeeded() => return Ok(None),
            Some(said) => said.stderr.trim().replace('\n', "; "),
            None => format!("it took longer than {} s", PATIENCE.as_secs()),
        };
        Ok(Some(Failure::new(
            format!("rpm would not install the packages of before: {reason}"),
            "remove or downgrade what rpm names, and run this again",
        )))
    }

    /// What goes back, each time with the command that does it.
    pub(super) fn installs(self, host: &Host) -> Vec<(Vec<PackageChange>, Command)> {
        let (back, once) = (self.command(host), self.once());
        let all = [(self.changes, back), (self.twice, once)];
        all.into_iter().filter(|(changes, _)| !changes.is_empty()).collect()
    }

    /// The command for those that are there twice. It erases the newer ones, and puts the older
    /// files there again: which files a node has depends on which of the two transactions was cut
    /// short.
    fn once(&self) -> Command {
        let begun = Command::of("rpm --upgrade --replacepkgs --oldpackage --");
        files(self.twice.iter()).fold(begun, Command::with)
    }

    /// The command of dnf or yum for those that are there in the newer version only.
    fn command(&self, host: &Host) -> Command {
        let tool = packager(host);
        // yum has a command of its own for this.
        let verb = if tool == "dnf" { "install" } else { "downgrade" };
        let begun = Command::new([tool, "--assumeyes", "--config", DNF_CONFIG, verb, "--"]);
        let names = self.changes.iter().map(|change| change.package.to_string());
        names.fold(begun, Command::with)
    }
}

/// The packages' files in the node's repository.
fn files<'a>(all: impl Iterator<Item = &'a PackageChange>) -> impl Iterator<Item = String> {
    all.map(|change| format!("{PACKAGES}/{}", change.package.file_name()))
}

/// Whether a package goes back whatever version it has: Kubernetes and containerd.
fn is_of_cluster(name: &str) -> bool {
    name.starts_with("kube") || ["cri-tools", "containerd.io", "containerd"].contains(&name)
}

/// The packages that the upgrade replaced: as they were before it, and as it brought them.
fn replaced(lines: &[Line]) -> Vec<Replaced> {
    let mut all: BTreeMap<(String, String), Replaced> = BTreeMap::new();
    for line in since_upgrade(lines) {
        let Line::Deed { deed: Deed::Installed { replaced, .. }, .. } = line else { continue };
        for one in replaced.iter().filter(|one| one.was.evr < one.is.evr) {
            let key = (one.was.name.clone(), one.was.arch.clone());
            let known = all.entry(key).or_insert_with(|| one.clone());
            known.is = one.is.clone();
        }
    }
    all.into_values().collect()
}
