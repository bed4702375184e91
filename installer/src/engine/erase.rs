//! Erasing the packages that came with us, and no others.
//!
//! By `rpm --erase` with full names, and not by dnf: `dnf remove` also takes packages that
//! only provide a name, packages that depend on one, and packages that it thinks nobody
//! needs. rpm refuses if another package needs one of ours, and says which. That one
//! stays.

use bundle_format::Nevra;

use crate::exec::Command;
use crate::host::Host;
use crate::node::rpm::{Installed, NEVRA, command, nevras};
use crate::receipt::{Deed, Replaced};

/// Whether a deed is about packages. Older receipts have dnf's commands instead: what
/// was installed, and the names that were new.
pub(crate) fn is_about_packages(deed: &Deed) -> bool {
    matches!(deed, Deed::Installed { .. }) || deed.older_packages().is_some()
}

/// What deeds, the oldest first, did to a node's packages.
#[derive(Default)]
pub(crate) struct Brought {
    /// The packages that came with us, also those that replaced such a package.
    pub(crate) ours: Vec<Nevra>,
    /// Packages of the node that the bundle's replaced.
    pub(crate) replaced: Vec<Replaced>,
}

impl Brought {
    pub(crate) fn by<'a>(deeds: impl Iterator<Item = &'a Deed>) -> Self {
        let mut all = Self::default();
        for deed in deeds {
            match deed {
                Deed::Installed { came, replaced, .. } => {
                    all.ours.extend(came.iter().cloned());
                    for one in replaced {
                        if all.ours.contains(&one.was) {
                            all.ours.push(one.is.clone());
                        } else {
                            all.replaced.push(one.clone());
                        }
                    }
                }
                deed => {
                    let (went_in, names) = deed.older_packages().unwrap_or_default();
                    for package in went_in {
                        let is_ours = all.ours.iter().any(|one| one.name == package.name);
                        if is_ours || names.contains(&package.name) {
                            all.ours.push(package);
                        }
                    }
                }
            }
        }
        all
    }
}

/// Erases the packages that came with us and are still installed. Returns those that
/// stay, with the reason.
pub(crate) fn erase(host: &mut Host, came: &[Nevra]) -> anyhow::Result<Vec<String>> {
    let installed = Installed::of(host)?;
    let mut stays = Vec::new();
    let mut going: Vec<Nevra> = Vec::new();
    for package in came {
        if installed.has(package) {
            if !going.contains(package) {
                going.push(package.clone());
            }
            continue;
        }
        let is_others = |one: &&Nevra| one.arch == package.arch && !came.contains(one);
        if let Some(here) = installed.named(&package.name).find(is_others) {
            stays.push(format!("{here}: somebody replaced {package} with it"));
        }
    }
    while !going.is_empty() {
        let said = host.answer(&command("rpm --erase --test --", &going))?;
        if said.succeeded() {
            host.take_back(&command("rpm --erase --", &going))?;
            break;
        }
        let mut needed = Vec::new();
        for (what, by) in said.stderr.lines().filter_map(need) {
            for package in providers(host, what)? {
                if going.contains(&package) && !needed.contains(&package) {
                    stays.push(format!("{package}: {by} needs it"));
                    needed.push(package);
                }
            }
        }
        if needed.is_empty() {
            anyhow::bail!("rpm does not erase packages: {}", said.end());
        }
        going.retain(|package| !needed.contains(package));
    }
    Ok(stays)
}

/// Reads `socat >= 1 is needed by (installed) site-1-1.noarch`: the requirement, and
/// who has it.
fn need(line: &str) -> Option<(&str, &str)> {
    line.trim().split_once(" is needed by (installed) ")
}

/// The packages that provide a requirement; for one with `or` and `if`, any part of
/// it.
fn providers(host: &Host, requirement: &str) -> anyhow::Result<Vec<Nevra>> {
    let names: Vec<&str> = if requirement.starts_with('(') {
        let words = requirement.split([' ', '(', ')']);
        words.filter(|word| !word.is_empty()).collect()
    } else {
        requirement.split(' ').take(1).collect()
    };
    let question = Command::of("rpm -q --whatprovides --qf").with(NEVRA).with("--");
    let question = names.into_iter().fold(question, Command::with);
    Ok(nevras(&host.answer(&question)?.stdout))
}
