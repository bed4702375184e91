//! The other mirrors of a repository's mirror list. The lock names the mirror that
//! answered then, which may be gone now. Packages from another mirror must have the
//! same digests.

use std::collections::HashMap;

use bundle_format::lock::{Lock, LockedRpm};
use url::Url;

use super::task::Task;
use crate::lock::base_urls::base_urls;
use crate::rpm::location::folder;
use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

/// The mirrors of each repository that has a mirror list. It fetches a list only when
/// somebody asks for that repository.
pub(super) struct Mirrors<'a> {
    file: &'a SpecFile,
    lock: &'a Lock,
    upstreams: &'a Upstreams,
    read: HashMap<(&'a str, &'a str), Vec<Url>>,
}

impl<'a> Mirrors<'a> {
    /// The mirrors of a spec's repositories, as the lock records them.
    pub(super) fn of(task: &Task<'a>) -> Self {
        let Task { file, lock, upstreams, .. } = *task;
        Self { file, lock, upstreams, read: HashMap::new() }
    }

    /// The URLs of a package at the other mirrors.
    pub(super) fn of_package(&mut self, rpm: &'a LockedRpm) -> Vec<Url> {
        let targets = self.lock.targets.iter().filter(|target| target.id == rpm.target);
        let mut repositories = targets.flat_map(|target| &target.repositories);
        let Some(locked) = repositories.find(|locked| locked.id == rpm.repository) else {
            return Vec::new();
        };
        let Some(path) = rpm.source.as_str().strip_prefix(locked.base_url.as_str()) else {
            return Vec::new();
        };
        let (file, upstreams) = (self.file, self.upstreams);
        let mirrors = self
            .read
            .entry((&rpm.target, &rpm.repository))
            .or_insert_with(|| read(file, upstreams, &rpm.target, &rpm.repository));
        let others = mirrors.iter().filter(|mirror| **mirror != locked.base_url);
        others.filter_map(|mirror| mirror.join(path).ok()).collect()
    }
}

/// The mirrors of a repository. Empty if the list cannot be read, because the mirror
/// of the lock may be enough.
fn read(file: &SpecFile, upstreams: &Upstreams, target: &str, repository: &str) -> Vec<Url> {
    let mut targets = file.spec.targets.iter().filter(|own| own.id() == target);
    let found = targets.find_map(|target| {
        let mut own = target.repositories.iter();
        Some((target, own.find(|own| own.id.value == repository && own.mirror_list.is_some())?))
    });
    let mirrors = found.map(|(target, own)| base_urls(file, target, own, upstreams));
    let mirrors = mirrors.and_then(Result::ok).unwrap_or_default();
    mirrors.iter().map(folder).collect()
}
