//! Conflicts between the bundle's packages and the node's.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use bundle_format::lock::{LockedRpm, Why};
use bundle_format::{Evr, Nevra};
use rustix::fs::{major, minor};

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::host::package_change::PackageChange;
use crate::intent::Intent;
use crate::node::family::{el, packager, platform};
use crate::node::paths;
use crate::node::rpm::Installed;
use crate::steps::packages::compared::{Compared, Newer, compare};

/// Where dnf and yum note the process that is changing packages.
const PROCESSES: [&str; 2] = ["/var/lib/dnf/rpmdb_lock.pid", "/run/yum.pid"];
/// rpm's lock while packages are changed, also by PackageKit.
const LOCKS: [&str; 2] = ["/var/lib/rpm/.rpm.lock", "/usr/lib/sysimage/rpm/.rpm.lock"];

/// The format for each `Obsoletes` and `Conflicts` of the installed packages, one a
/// line: the kind, the installed package, the name, and comparison and version, such
/// as `<` and `1.7`.
const RELATIONS: &str = "[obsoletes\\t%{=NAME}\\t%{OBSOLETENAME}\\t%{OBSOLETEFLAGS:depflags}\\t\
%{OBSOLETEVERSION}\\n][conflicts\\t%{=NAME}\\t%{CONFLICTNAME}\\t%{CONFLICTFLAGS:depflags}\\t\
%{CONFLICTVERSION}\\n]";

/// A target whose `match` takes this node, although its packages are another release's.
pub(super) fn warnings(_: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let target = &intent.target;
    let Some((own, words)) = platform(&intent.facts.release) else { return Ok(Vec::new()) };
    let differs = el(&own).is_some() && el(&target.family).is_some_and(|of| el(&own) != Some(of));
    let warning = || {
        Failure::new(
            format!(
                "the bundle's packages for this node are {}'s, and it says {words}",
                target.family
            ),
            "add VERSION_ID to the target's `match` in the spec, and a target for this system",
        )
    };
    Ok(differs.then(warning).into_iter().collect())
}

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let installed = Installed::of(host)?;
    let compared = compare(&installed, intent);
    if compared.changes.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = replaced(host, &installed, &compared)?;
    found.extend(too_new(host, intent, &compared)?);
    found.extend(backwards(host, intent, &compared));
    found.extend(twins(host, &installed, &compared));
    found.extend(opposed(host, &compared)?);
    found.extend(at_work(host)?);
    Ok(found)
}

/// containerd.io replaces packages that others may need.
fn replaced(
    host: &Host,
    installed: &Installed,
    compared: &Compared<'_>,
) -> anyhow::Result<Vec<Failure>> {
    if !brings(compared).any(|change| change.package.name == "containerd.io") {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for name in ["containerd", "runc", "docker", "moby-engine"] {
        if installed.named(name).next().is_none() {
            continue;
        }
        let format = "%{NAME}\\n";
        let users = Command::of("rpm -q --whatrequires --qf").with(format).with("--").with(name);
        let users = host.answer(&users)?;
        let users = if users.succeeded() { users.stdout } else { String::new() };
        let users: Vec<&str> = users.lines().collect();
        let by = if users.is_empty() {
            String::new()
        } else {
            format!(" (needed by {})", users.join(", "))
        };
        found.push(Failure::new(
            format!("the package {name}{by} cannot stay beside containerd.io"),
            format!("remove it if nobody needs it: `{} remove {name}`", packager(host)),
        ));
    }
    Ok(found)
}

fn brings<'a>(compared: &'a Compared<'_>) -> impl Iterator<Item = &'a PackageChange> {
    compared.changes.iter().map(|(_, change)| change)
}

/// A requirement of a package to be installed, for which the bundle's package is
/// older than the node's.
struct Need<'a> {
    by: &'a Nevra,
    what: &'a str,
    newer: &'a Newer<'a>,
}

/// A package of the bundle that needs exactly the bundle's version of another, of
/// which the node has a newer one. That one is not downgraded.
fn too_new(host: &Host, intent: &Intent, compared: &Compared<'_>) -> anyhow::Result<Vec<Failure>> {
    let coming: BTreeSet<&Nevra> = brings(compared).map(|change| &change.package).collect();
    let needs = |locked: &'_ LockedRpm, by: &Nevra, what: &str| {
        locked.why.iter().any(|why| {
            matches!(why, Why::Requires { package, requirement } if package == by && requirement == what)
        })
    };
    let mut open = Vec::new();
    for newer in &compared.newer {
        for why in &newer.locked.why {
            let Why::Requires { package: by, requirement: what } = why else { continue };
            let is_by_another = intent.lock().rpms.iter().any(|other| {
                other.target == intent.target.id
                    && coming.contains(&other.package)
                    && needs(other, by, what)
            });
            // Only dnf can tell what a requirement with `if` or `or`
            // means.
            if coming.contains(by) && !is_by_another && !what.starts_with('(') {
                open.push(Need { by, what, newer });
            }
        }
    }
    let provided = provided(host, &open)?;
    open.retain(|need| match need.what.strip_prefix('/') {
        Some(_) => !host.exists(need.what),
        None => !provided.iter().any(|provide| provide.fulfils(need.what)),
    });
    let problem = |Need { by, what, newer }: Need<'_>| {
        Failure::new(
            format!("{by} of the bundle needs {what}, and this node has {}", newer.here),
            format!(
                "make a new bundle from newer repositories, or for nodes like this one by \
                 `installer inventory` as its baseline; or, if nobody needs the newer one, \
                 `{} downgrade {}` from the site's own repositories",
                packager(host),
                newer.here.name
            ),
        )
    };
    Ok(open.into_iter().map(problem).collect())
}

/// What the node's packages provide for these requirements.
fn provided(host: &Host, open: &[Need<'_>]) -> anyhow::Result<Vec<Provide>> {
    let names = open.iter().filter_map(|need| need.what.split(' ').next());
    let names: BTreeSet<&str> = names.filter(|name| !name.starts_with('/')).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let format = "[%{PROVIDENAME}\\t%{PROVIDEVERSION}\\n]";
    let question = Command::of("rpm -q --whatprovides --qf").with(format).with("--");
    let said = host.answer(&names.into_iter().fold(question, Command::with))?;
    let provide = |line: &str| {
        let (name, version) = line.split_once('\t')?;
        Some(Provide { name: name.to_owned(), version: version.parse().ok() })
    };
    Ok(said.stdout.lines().filter_map(provide).collect())
}

/// A name that a package provides, and its version.
struct Provide {
    name: String,
    version: Option<Evr>,
}

impl Provide {
    /// Whether it satisfies `name`, or `name = version`. A missing version on
    /// either side matches any.
    fn fulfils(&self, requirement: &str) -> bool {
        let mut words = requirement.split(' ');
        if words.next() != Some(self.name.as_str()) {
            return false;
        }
        let (comparison, version) = (words.next(), words.next());
        holds(self.version.as_ref(), comparison.unwrap_or_default(), version.unwrap_or_default())
    }
}

/// Whether a version satisfies a comparison with another.
fn holds(version: Option<&Evr>, comparison: &str, with: &str) -> bool {
    if comparison.is_empty() {
        return true;
    }
    let (Some(version), Ok(with)) = (version, with.parse::<Evr>()) else { return true };
    match version.compare_as_range_end(&with) {
        Ordering::Less => comparison.contains('<'),
        Ordering::Equal => comparison.contains('='),
        Ordering::Greater => comparison.contains('>'),
    }
}

/// A node that was taken to a newer Kubernetes is not taken back.
fn backwards(host: &Host, intent: &Intent, compared: &Compared<'_>) -> Option<Failure> {
    if !host.exists(paths::ADMIN_CONF) && !host.exists(paths::KUBELET_CONF) {
        return None;
    }
    let is_kubernetes =
        |change: &&PackageChange| change.package.evr.version == intent.lock().kubernetes.as_str();
    let mut older = brings(compared).filter(|change| change.is_downgrade()).filter(is_kubernetes);
    let change = older.next()?;
    let from = change.from.as_ref()?;
    Some(Failure::new(
        format!(
            "{} {from} is on this node, which is in its cluster, and the bundle has {}",
            change.package.name, change.package.evr
        ),
        "use the bundle of the version that the cluster has",
    ))
}

/// rpm and yum require the same version for all architectures of an installed
/// package, and the bundle has only one of these architectures.
fn twins(host: &Host, installed: &Installed, compared: &Compared<'_>) -> Vec<Failure> {
    let mut found = Vec::new();
    for PackageChange { package, .. } in brings(compared) {
        let is_twin = |other: &&Nevra| {
            let archs = [&other.arch, &package.arch];
            archs[0] != archs[1] && !archs.iter().any(|arch| *arch == "noarch")
        };
        let comes_too = |other: &Nevra| {
            brings(compared).any(|one| {
                one.package.name == other.name
                    && one.package.arch == other.arch
                    && one.package.evr == package.evr
            })
        };
        let others = installed.named(&package.name).filter(is_twin);
        let others = others.filter(|other| other.evr != package.evr && !comes_too(other));
        found.extend(others.map(|other| {
            Failure::new(
                format!("{other} is here, and cannot stay beside {package}"),
                format!(
                    "remove it if nobody needs it: `{} remove {}.{}`; or bring both to this \
                     version from the site's own repositories",
                    packager(host),
                    other.name,
                    other.arch
                ),
            )
        }));
    }
    found
}

/// An installed package that obsoletes one of the bundle's, or conflicts with it. dnf
/// and yum would silently skip the bundle's package.
fn opposed(host: &Host, compared: &Compared<'_>) -> anyhow::Result<Vec<Failure>> {
    let said = host.answer(&Command::of("rpm -qa --qf").with(RELATIONS))?;
    let mut found = Vec::new();
    for line in said.stdout.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [kind, name, other, comparison, version] = columns[..] else { continue };
        let is_meant = |change: &&PackageChange| {
            let Nevra { name: own, evr, .. } = &change.package;
            own == other && own != name && holds(Some(evr), comparison.trim(), version)
        };
        if let Some(change) = brings(compared).find(is_meant) {
            let what = if kind == "obsoletes" { "takes the place of" } else { "is in the way of" };
            found.push(Failure::new(
                format!("the package {name} {what} the bundle's {}", change.package),
                format!("remove it if nobody needs it: `{} remove {name}`", packager(host)),
            ));
        }
    }
    Ok(found)
}

/// Another dnf, yum or rpm at work: PackageKit, dnf-automatic, a person at a prompt.
/// Waiting for it could last for ever.
fn at_work(host: &Host) -> anyhow::Result<Option<Failure>> {
    let mut processes = Vec::new();
    for path in PROCESSES {
        processes.extend(host.read(path)?);
    }
    processes.extend(locking(host)?);
    for process in processes.iter().map(|process| process.trim()) {
        let is_number = process.parse::<u32>().is_ok();
        let name = format!("/proc/{process}/comm");
        if let Some(name) = is_number.then(|| host.read(name)).transpose()?.flatten() {
            return Ok(Some(Failure::new(
                format!("{} (process {process}) is at work on this node's packages", name.trim()),
                "wait until it has ended, and run this again; `systemctl stop packagekit` ends \
                 PackageKit",
            )));
        }
    }
    Ok(None)
}

/// The processes that hold rpm's lock, from `/proc/locks` (proc(5)): `1: POSIX
/// ADVISORY WRITE 77 fd:00:1234 0 EOF`, with the device in hexadecimal, and the
/// inode.
fn locking(host: &Host) -> anyhow::Result<Vec<String>> {
    let locks = host.read("/proc/locks")?.unwrap_or_default();
    let files = LOCKS.iter().filter_map(|path| host.path(path).metadata().ok()).map(|file| {
        let (major, minor) = (major(file.dev()), minor(file.dev()));
        format!("{major:02x}:{minor:02x}:{}", file.ino())
    });
    let files: Vec<String> = files.collect();
    let holder = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let at = words.iter().position(|word| files.iter().any(|file| file == word))?;
        (words.get(at.checked_sub(2)?) == Some(&"WRITE")).then(|| words[at - 1].to_owned())
    };
    Ok(locks.lines().filter_map(holder).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_holds_as_rpm_compares() {
        let provide = |name: &str, version: &str| Provide {
            name: name.to_owned(),
            version: version.parse().ok(),
        };
        let own = provide("libx", "1:2.0-3.el9");
        for (requirement, is_met) in [
            ("libx", true),
            ("libx = 1:2.0", true),
            ("libx = 1:2.0-3.el9", true),
            ("libx = 1:2.0-2.el9", false),
            ("libx = 2.0-3.el9", false),
            ("libx >= 1.9", true),
            ("libx <= 1:2.0", true),
            ("libx < 1:2.0", false),
            ("libx > 1:2.0-2", true),
            ("libx(x86-64) = 1:2.0", false),
        ] {
            assert_eq!(own.fulfils(requirement), is_met, "{requirement}");
        }
        assert!(provide("libx.so.1()(64bit)", "").fulfils("libx.so.1()(64bit)"));
        assert!(provide("libx", "").fulfils("libx = 5"), "no version is any version");
    }
}
