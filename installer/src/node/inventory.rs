//! A node's facts and packages, to carry to the connected host. There they are the
//! baseline of a bundle that brings only what the node lacks.

use serde::Serialize;

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::facts::Facts;

/// A node's facts and packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// The node's facts.
    pub facts: Facts,
    /// The installed packages, sorted.
    pub packages: Vec<Package>,
}

/// An installed package.
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
            // rpm's database has vendors' keys too.
            (name != "gpg-pubkey").then_some(Package { name, evr, arch })
        };
        let mut packages: Vec<Package> = said.stdout.lines().filter_map(package).collect();
        // An incomplete list would make an incomplete bundle.
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
