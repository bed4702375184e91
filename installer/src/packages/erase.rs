//! The way back: packages that came with us go, and no others.
//!
//! By `rpm --erase` with whole names, and not by dnf: `dnf remove` takes what merely
//! provides a name, takes along what depends on a package, and takes what it deems
//! needed no more. rpm refuses where something else depends on a package, and says
//! what: that package stays.

use bundle_format::Nevra;

use super::installed::{Installed, NEVRA, nevras};
use crate::exec::Command;
use crate::host::Host;
use crate::receipt::Deed;

/// The packages that a deed has brought; none of one that is not about packages.
/// Receipts of older versions have dnf's commands: what went in, and by its name
/// alone what was not there before.
pub(crate) fn brought(deed: &Deed) -> Option<Vec<Nevra>> {
    match deed {
        Deed::Installed { came, .. } => Some(came.clone()),
        Deed::Ran { command, undo } => {
            let [undo] = undo.as_slice() else { return None };
            let (tool, words) = undo.words().split_first()?;
            let at = words.iter().position(|word| word == "remove")?;
            if !["dnf", "yum"].contains(&tool.as_str()) {
                return None;
            }
            let names = &words[at + 1..];
            let went_in = command.words().iter().filter_map(|word| word.parse::<Nevra>().ok());
            Some(went_in.filter(|package| names.contains(&package.name)).collect())
        }
        _ => None,
    }
}

/// What was taken the place of, of which nobody has the package any more.
pub(crate) fn replaced(deed: &Deed) -> &[Nevra] {
    match deed {
        Deed::Installed { replaced, .. } => replaced,
        _ => &[],
    }
}

/// Erases those of `came` that are still there, and gives what stays, with the
/// reason.
pub(crate) fn erase(host: &mut Host, came: &[Nevra]) -> anyhow::Result<Vec<String>> {
    let installed = Installed::of(host)?;
    let mut stays = Vec::new();
    let mut going: Vec<Nevra> = Vec::new();
    for package in came {
        if installed.has(package) {
            if !going.contains(package) {
                going.push(package.clone());
            }
        } else if let Some(here) = installed.named(&package.name).find(|one| !came.contains(one)) {
            stays.push(format!("{here}: it was {package} when it came, and is another's now"));
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
    stays.dedup();
    Ok(stays)
}

/// A command for packages, by the names that each rpm takes: without the epoch.
fn command(line: &str, packages: &[Nevra]) -> Command {
    packages.iter().fold(Command::of(line), |command, package| {
        let name = package.file_name();
        command.with(name.strip_suffix(".rpm").unwrap_or(&name))
    })
}

/// Of a line like `socat >= 1 is needed by (installed) site-1-1.noarch`: what, and
/// by whom.
fn need(line: &str) -> Option<(&str, &str)> {
    line.trim().split_once(" is needed by (installed) ")
}

/// Who provides a requirement; of one with `or` and `if`, who provides any part.
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
