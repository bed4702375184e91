//! A request for a package, in one of the forms that dnf reads.

use bundle_format::{Evr, Nevra};

use super::policy;
use super::universe::{Id, Universe};
use crate::rpm::dependency::{Capability, Comparison, Dependency, DependencyError, Range};

/// A requested package, and where it must come from.
#[derive(Clone, Debug)]
pub struct Request {
    /// The request as it is written: `kubelet`, `kubelet-1.28.2`,
    /// `kubelet.x86_64`, `kubelet >= 1.28`, `kubelet-1.28.2-0.x86_64`,
    /// `/usr/bin/tc`.
    pub text: String,
    /// The repository that it must come from, by its short name.
    pub repository: Option<String>,
    wanted: Capability,
}

impl Request {
    /// Reads `text`. The package may come from any repository.
    pub fn parse(text: &str) -> Result<Self, DependencyError> {
        let wanted = match Dependency::parse(text.trim())? {
            Dependency::Capability(capability) => capability,
            _ => Capability::any(text.trim()),
        };
        Ok(Self { text: text.trim().to_owned(), repository: None, wanted })
    }

    /// The same request, from one repository only.
    pub fn pinned_to(self, repository: Option<&str>) -> Self {
        Self { repository: repository.map(str::to_owned), ..self }
    }

    /// The packages that may answer the request: the newest that match, from the
    /// repositories with the best priority. An older one never replaces it.
    pub fn candidates(&self, universe: &Universe) -> Vec<Id> {
        policy::best(universe, &self.answers(universe))
    }

    /// All packages that match, in any version.
    pub(super) fn answers(&self, universe: &Universe) -> Vec<Id> {
        let mut matches = self.matches(universe);
        matches.retain(|id| {
            self.repository.as_ref().is_none_or(|wanted| universe.repository(*id).id == *wanted)
        });
        matches
    }

    fn matches(&self, universe: &Universe) -> Vec<Id> {
        let name = self.wanted.name.as_str();
        let in_range = |id: &Id| {
            let end = universe.nevra(*id).evr.clone();
            self.wanted.accepts(Some(&Range { comparison: Comparison::Equal, end }))
        };
        let named: Vec<Id> = universe.named(name).iter().copied().filter(in_range).collect();
        if !named.is_empty() {
            return named;
        }
        if let Some((plain, arch)) = name.rsplit_once('.') {
            let of_arch = |id: &Id| universe.nevra(*id).arch == arch;
            let found: Vec<Id> =
                universe.named(plain).iter().copied().filter(in_range).filter(of_arch).collect();
            if !found.is_empty() {
                return found;
            }
        }
        // A request without an epoch matches any epoch, as in dnf.
        let any_epoch = !name.contains(':');
        let has = |id: &Id, wanted: &Evr| {
            let evr = &universe.nevra(*id).evr;
            let epoch = if any_epoch { evr.epoch } else { wanted.epoch };
            Evr { epoch, ..wanted.clone() }.compare_as_range_end(evr).is_eq()
        };
        if let Ok(nevra) = name.parse::<Nevra>() {
            let found: Vec<Id> = universe
                .named(&nevra.name)
                .iter()
                .copied()
                .filter(|id| universe.nevra(*id).arch == nevra.arch)
                .filter(|id| has(id, &nevra.evr))
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        // `name-version` and `name-version-release`. Names contain hyphens
        // too.
        for (place, _) in name.match_indices('-') {
            let (plain, version) = name.split_at(place);
            let Ok(wanted) = version.trim_start_matches('-').parse::<Evr>() else { continue };
            let found: Vec<Id> =
                universe.named(plain).iter().copied().filter(|id| has(id, &wanted)).collect();
            if !found.is_empty() {
                return found;
            }
        }
        universe.providers(&self.wanted)
    }
}
