//! The bundle's packages, put in by the node's own dnf or yum from the bundle
//! alone, each in exactly the version that the lock has.

use std::collections::BTreeSet;

use anyhow::bail;
use bundle_format::Nevra;

use super::repository::ID;
use crate::change::Change;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::step::{Intent, Node, Step};

/// See the module.
pub struct Packages;

impl Step for Packages {
    fn name(&self) -> &'static str {
        "packages"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let missing = missing(node.host, node.intent)?;
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let tool = tool(node.host);
        let mut install = Command::new([tool, "--assumeyes"]);
        let mut remove = install.clone().with("--noplugins").with("remove");
        for option in ["--disablerepo=*", &format!("--enablerepo={ID}"), "install"] {
            install = install.with(option);
        }
        let installed = names(node.host)?;
        for package in &missing {
            install = install.with(package.to_string());
            // One that was there in another version stays.
            if !installed.contains(&package.name) {
                remove = remove.with(package.name.clone());
            }
        }
        Ok(vec![Change::Run { command: install, undo: vec![remove], files: Vec::new() }])
    }
}

/// The packages of the lock that the node lacks in just this version.
pub(crate) fn missing<'a>(host: &Host, intent: &'a Intent) -> anyhow::Result<Vec<&'a Nevra>> {
    let format = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\\n";
    let said = installed(host, format)?;
    let installed: BTreeSet<Nevra> = said.lines().filter_map(|line| line.parse().ok()).collect();
    let rpms = intent.lock().rpms.iter().filter(|rpm| rpm.target == intent.target.id);
    Ok(rpms.map(|rpm| &rpm.package).filter(|package| !installed.contains(package)).collect())
}

/// The names of all packages that are installed.
pub(crate) fn names(host: &Host) -> anyhow::Result<BTreeSet<String>> {
    Ok(installed(host, "%{NAME}\\n")?.lines().map(str::to_owned).collect())
}

/// What rpm prints of all packages. If it cannot say, none of them is missing:
/// what is put in, a reset would take away.
fn installed(host: &Host, format: &str) -> anyhow::Result<String> {
    let said = host.answer(&Command::of("rpm -qa --qf").with(format))?;
    if said.succeeded() || said.status == Some(127) {
        return Ok(said.stdout);
    }
    let reason = said.reason().unwrap_or("it does not say why");
    Err(Failure::new(
        format!("rpm does not list this node's packages: {reason}"),
        "run this as root; `rpm --rebuilddb` mends a damaged database",
    )
    .into())
}

/// Whether rpm has a package, or a vendor's key, of this name.
pub(crate) fn has(host: &Host, name: &str) -> anyhow::Result<bool> {
    let command = Command::of("rpm -q").with(name);
    let said = host.answer(&command)?;
    if !said.succeeded() && said.status != Some(127) && !said.stdout.contains("not installed") {
        bail!("`{command}` does not answer: {}", said.stderr.trim());
    }
    Ok(said.succeeded())
}

/// dnf where there is one; el7 has yum.
fn tool(host: &Host) -> &'static str {
    if host.exists("/usr/bin/dnf") { "dnf" } else { "yum" }
}
