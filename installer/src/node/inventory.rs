//! What a node is and has, to take to the connected host: there it is the
//! baseline of a bundle that brings just what the node lacks.

use serde::Serialize;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::facts::Facts;

/// A node's facts and packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// What it is.
    pub facts: Facts,
    /// Its packages, sorted.
    pub packages: Vec<Package>,
}

/// A package that is installed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// `[epoch:]version-release`.
    pub evr: String,
    /// Its architecture.
    pub arch: String,
}

impl Inventory {
    /// Looks at the node.
    pub fn take(host: &Host) -> anyhow::Result<Self> {
        let format = "%{NAME}\\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\t%{ARCH}\\n";
        let said = host.ask(&Command::of("rpm -qa --qf").with(format));
        let package = |line: &str| {
            let mut columns = line.split('\t').map(str::to_owned);
            let (name, evr, arch) = (columns.next()?, columns.next()?, columns.next()?);
            // Vendors' keys are in rpm's database as well.
            (name != "gpg-pubkey").then_some(Package { name, evr, arch })
        };
        let mut packages: Vec<Package> = said.stdout.lines().filter_map(package).collect();
        // Half a list would be a baseline with too little in it.
        if packages.is_empty() || !said.succeeded() {
            let reason = said.reason().unwrap_or("it knows none");
            return Err(Failure::new(
                format!("rpm does not list this node's packages: {reason}"),
                "run this on a node of an EL system, as root",
            )
            .into());
        }
        packages.sort();
        Ok(Self { facts: Facts::gather(host)?, packages })
    }

    /// The package list that a spec's `baseline` reads, with the facts as
    /// comments.
    pub fn list(&self) -> String {
        let facts = self.facts.lines().into_iter();
        let facts: String = facts.map(|(name, fact)| format!("# {name}: {fact}\n")).collect();
        let packages = self.packages.iter();
        let packages: String = packages
            .map(|package| format!("{}\t{}\t{}\n", package.name, package.evr, package.arch))
            .collect();
        format!("{facts}{packages}")
    }
}
