//! The packages that a node has before the bundle is installed.

use std::collections::HashSet;

use bundle_format::{Evr, Nevra};

use crate::rpm::closure::{self, Id, Installed, Request, Universe, Unsolvable};
use crate::rpm::dependency::{Capability, Comparison, Range};
use crate::rpm::repository::Repository;

/// A line of a package list that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{file}:{line}: {reason}; a package list holds lines of name, [epoch:]version-release and architecture, with tabs between them"
)]
pub struct PackageListError {
    file: String,
    line: usize,
    reason: String,
}

/// Reads a package list: `rpm -qa --qf
/// '%{NAME}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t%{ARCH}\n'`. More columns
/// are allowed and ignored. `gpg-pubkey` entries are keys, not packages.
pub fn read_package_list(file: &str, text: &str) -> Result<Vec<Nevra>, PackageListError> {
    let mut packages = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let fail =
            |reason: String| PackageListError { file: file.to_owned(), line: index + 1, reason };
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut columns = line.split('\t').map(str::trim);
        let (Some(name), Some(evr), Some(arch)) = (columns.next(), columns.next(), columns.next())
        else {
            return Err(fail(format!("`{line}` has fewer than three columns")));
        };
        if name == "gpg-pubkey" {
            continue;
        }
        let evr = evr.strip_prefix("(none):").unwrap_or(evr);
        let nevra = format!("{name}-{evr}.{arch}");
        packages.push(nevra.parse().map_err(|error| fail(format!("{error}")))?);
    }
    if packages.is_empty() {
        return Err(PackageListError {
            file: file.to_owned(),
            line: 1,
            reason: "it lists no package".to_owned(),
        });
    }
    Ok(packages)
}

/// The closure of the groups' packages in a comps document, which every installation
/// has. Packages that are in no repository are left out.
pub fn of_core(universe: &Universe, core: &[String]) -> Result<Installed, Unsolvable> {
    let requests: Vec<Request> = core
        .iter()
        .filter(|name| !universe.named(name).is_empty())
        .filter_map(|name| Request::parse(name).ok())
        .collect();
    let solution = closure::solve(universe, &requests, &Installed::default())?;
    let packages: HashSet<Id> = solution.packages.into_iter().collect();
    Ok(Installed { settled: HashSet::new(), packages })
}

/// The packages of `list` for the solver, if no repository has them. If a repository
/// has a package of the same name, that package says what else it provides. Otherwise
/// only its name is known. `None` if there are no repositories at all.
pub fn node_repository(repositories: &[Repository], list: &[Nevra]) -> Option<Repository> {
    let base_url = &repositories.first()?.base_url;
    let offered = |name: &str| {
        let packages = repositories.iter().map(|repository| &repository.packages);
        let named = packages.flat_map(|own| own.named(name).map(|place| &own[place]));
        named.max_by_key(|package| &package.nevra.evr)
    };
    let packages = list.iter().map(|nevra| {
        let equal = |name: String, end: Evr| {
            let range = Range { comparison: Comparison::Equal, end };
            Capability { name, range: Some(range) }
        };
        let mut provides = vec![equal(nevra.name.clone(), nevra.evr.clone())];
        let mut files = Vec::new();
        if let Some(other) = offered(&nevra.name) {
            // What the other one provides in its own version, this one
            // provides in this version.
            provides.extend(other.provides.iter().map(|capability| {
                let range = capability.range.as_ref();
                match range.and_then(|range| moved(&range.end, &other.nevra, nevra)) {
                    Some(end) => equal(capability.name.clone(), end),
                    None => capability.clone(),
                }
            }));
            files.clone_from(&other.files);
        }
        (nevra.clone(), provides, files)
    });
    Repository::of_node(base_url, packages)
}

/// The version that `to` provides if `from` provides `end`, and `end` is the version of
/// `from`. Kernels provide it with the architecture behind it too, as `uname -r` says it
/// (`kernel-uname-r`).
fn moved(end: &Evr, from: &Nevra, to: &Nevra) -> Option<Evr> {
    if *end == from.evr {
        return Some(to.evr.clone());
    }
    let release = end.release.strip_suffix(&from.arch)?.strip_suffix('.')?;
    let is_own = end.version == from.evr.version && release == from.evr.release;
    is_own.then(|| Evr { release: format!("{}.{}", to.evr.release, to.arch), ..to.evr.clone() })
}

/// The packages of a real node. Their requirements are met on the node already,
/// whatever the repositories contain.
pub fn of_packages(universe: &Universe, list: &[Nevra]) -> Installed {
    let packages: HashSet<Id> = list
        .iter()
        .flat_map(|nevra| {
            let named = universe.named(&nevra.name).iter().copied();
            named.filter(move |id| universe.nevra(*id) == nevra)
        })
        .collect();
    Installed { settled: packages.clone(), packages }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_lists_read_with_and_without_epoch() {
        let text = "# a node\nbash\t4.2.46-34.el7\tx86_64\tCentOS\tRSA\nacl\t(none):2.2-1\tx86_64\ndbus\t1:1.10-7\tx86_64\ngpg-pubkey\tf4a80eb5-53a7ff4b\t(none)\n";
        let packages = read_package_list("qa", text).unwrap();
        let shown: Vec<String> = packages.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            ["bash-4.2.46-34.el7.x86_64", "acl-2.2-1.x86_64", "dbus-1:1.10-7.x86_64"]
        );
        for bad in ["", "bash 4.2", "bash\t4.2\tx86_64", "bash\tx:1-1\tx86_64"] {
            let error = read_package_list("qa", bad).unwrap_err().to_string();
            assert!(error.starts_with("qa:1: "), "{error}");
        }
    }
}
