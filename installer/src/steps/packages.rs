//! The bundle's packages, put in by the node's own dnf or yum from the bundle
//! alone, each in exactly the version that the lock has.

use std::collections::BTreeSet;

use bundle_format::Nevra;

use super::repository::ID;
use crate::change::Change;
use crate::exec::Command;
use crate::host::Host;
use crate::step::{Intent, Node, Step};

/// See the module.
pub struct Packages;

impl Step for Packages {
    fn name(&self) -> &'static str {
        "packages"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let missing = missing(node.host, node.intent);
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let tool = tool(node.host);
        let mut install = Command::new([tool, "--assumeyes"]);
        let mut remove = install.clone().with("--noplugins").with("remove");
        for option in ["--disablerepo=*", &format!("--enablerepo={ID}"), "install"] {
            install = install.with(option);
        }
        let installed = names(node.host);
        for package in &missing {
            install = install.with(package.to_string());
            // One that was there in another version stays.
            if !installed.contains(&package.name) {
                remove = remove.with(package.name.clone());
            }
        }
        Ok(vec![Change::Run { command: install, undo: vec![remove] }])
    }
}

/// The packages of the lock that the node lacks in just this version.
pub(crate) fn missing<'a>(host: &Host, intent: &'a Intent) -> Vec<&'a Nevra> {
    let format = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\\n";
    let said = host.ask(&Command::of("rpm -qa --qf").with(format)).stdout;
    let installed: BTreeSet<Nevra> = said.lines().filter_map(|line| line.parse().ok()).collect();
    let rpms = intent.lock().rpms.iter().filter(|rpm| rpm.target == intent.target.id);
    rpms.map(|rpm| &rpm.package).filter(|package| !installed.contains(package)).collect()
}

/// The names of all packages that are installed.
pub(crate) fn names(host: &Host) -> BTreeSet<String> {
    let said = host.ask(&Command::of("rpm -qa --qf").with("%{NAME}\\n")).stdout;
    said.lines().map(str::to_owned).collect()
}

/// dnf where there is one; el7 has yum.
fn tool(host: &Host) -> &'static str {
    if host.exists("/usr/bin/dnf") { "dnf" } else { "yum" }
}
