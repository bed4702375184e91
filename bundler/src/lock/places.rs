//! The hosts that a lock will contact.

use url::Url;

use super::wanted::Wanted;
use crate::outage::Places;
use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

/// All hosts that the spec names.
pub(super) fn places(file: &SpecFile, wanted: &Wanted, upstreams: &Upstreams) -> Places {
    let mut places = Places::default();
    let mut add = |text: &str, what: String| {
        if let Ok(url) = Url::parse(text) {
            places.add(&url, Some(what));
        }
    };
    for target in &file.spec.targets {
        for repository in &target.repositories {
            let own = repository.base_url.iter().chain(&repository.mirror_list);
            for url in own.chain(&repository.keys) {
                add(url, target.title_of(repository));
            }
        }
    }
    for manifest in &file.spec.manifests {
        let manifest = &manifest.value;
        add(manifest.source(), format!("manifest {}", manifest.name));
    }
    for name in wanted.names() {
        let source = wanted.source(&file.spec, name);
        let endpoints = source.ok().and_then(|source| upstreams.puller.endpoints(&source).ok());
        let endpoints = endpoints.unwrap_or_default();
        let is_only = endpoints.len() == 1;
        for endpoint in endpoints {
            places.add(&endpoint.root(), is_only.then(|| format!("image {name}")));
        }
    }
    places
}
