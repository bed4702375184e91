//! The hosts that a lock will ask.

use std::collections::BTreeMap;

use url::Url;

use super::images::Wanted;
use super::{Upstreams, repositories};
use crate::spec::SpecFile;

/// A host that a lock will ask.
pub(super) struct Place {
    /// A URL to see whether it is there.
    pub(super) url: Url,
    /// What must come from there and can from nowhere else, if anything.
    pub(super) only_for: Option<String>,
}

/// Each of them, by its `https://HOST`.
pub(super) fn places(
    file: &SpecFile,
    wanted: &Wanted,
    upstreams: &Upstreams,
) -> BTreeMap<String, Place> {
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    let mut add = |url: Url, what: Option<String>| {
        if !matches!(url.scheme(), "http" | "https") {
            return;
        }
        let place = places
            .entry(url.origin().ascii_serialization())
            .or_insert(Place { url, only_for: None });
        place.only_for = place.only_for.take().or(what);
    };
    let root = |text: &str| Url::parse(text).and_then(|url| url.join("/")).ok();
    for target in &file.spec.targets {
        for repository in &target.repositories {
            let what = repositories::title(target, repository);
            let own = repository.base_url.iter().chain(&repository.mirror_list);
            for url in own.chain(&repository.keys).filter_map(|text| root(text)) {
                add(url, Some(what.clone()));
            }
        }
    }
    for manifest in &file.spec.manifests {
        let manifest = &manifest.value;
        if let Some(url) = manifest.url.as_deref().and_then(root) {
            add(url, Some(format!("manifest {}", manifest.name)));
        }
    }
    for name in wanted.names() {
        let source = wanted.source(&file.spec, name);
        let endpoints = source.ok().and_then(|source| upstreams.puller.endpoints(&source).ok());
        let endpoints = endpoints.unwrap_or_default();
        let is_only = endpoints.len() == 1;
        for endpoint in endpoints {
            add(endpoint.root(), is_only.then(|| format!("image {name}")));
        }
    }
    places
}
