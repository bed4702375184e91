//! A bundle's software bill of materials: all that is in it, in CycloneDX. It follows from
//! the lock and the bytes that the lock names, so that the same lock gives the same document.

mod bom;
mod content;
mod crates;
mod database;
mod distribution;
mod files;
mod image;
mod layers;
mod packages;
mod purl;
mod release;

use std::collections::BTreeSet;

use bundle_format::layout::describe_lock;
use bundle_format::lock::Lock;
use bundle_format::sbom::serial_number;

use bom::{Bom, Component, Kind, Metadata, Tools};
pub use content::Open;
pub use layers::Layers;
use release::Release;

/// The document for what `lock` lists. `open` gives the bytes of each blob. `layers` are those
/// that were read before.
pub fn document(lock: &Lock, open: &Open<'_>, layers: &Layers) -> anyhow::Result<Vec<u8>> {
    let hops: Vec<Lock> = lock.hops.iter().map(|hop| lock.own_of_hop(hop)).collect();
    let last = std::iter::once(Release { lock, hop: None });
    let releases: Vec<Release<'_>> =
        last.chain(hops.iter().map(|lock| Release { lock, hop: Some(&lock.kubernetes) })).collect();
    let images = releases.iter().flat_map(|release| &release.lock.images);
    layers.complete(images.flat_map(|image| &image.platforms), open)?;
    let layers = layers.all();
    let mut components = Vec::new();
    for release in &releases {
        components.extend(packages::components(release, open)?);
        let images = release.lock.images.iter();
        components.extend(images.flat_map(|image| image::components(image, &layers)));
        components.extend(files::components(release, open)?);
    }
    let mut seen = BTreeSet::new();
    components.retain(|component| seen.insert(component.reference.clone()));
    let digest = describe_lock(lock)?.digest;
    let component = Component {
        kind: Kind::Application,
        reference: "bundle".to_owned(),
        name: lock.name.clone(),
        version: Some(lock.kubernetes.to_string()),
        ..Component::default()
    };
    let bundler = Component {
        kind: Kind::Application,
        name: "Kubeferry bundler".to_owned(),
        ..Component::default()
    };
    let bom = Bom {
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: serial_number(digest),
        version: 1,
        metadata: Metadata {
            tools: Tools { components: vec![bundler] },
            component: component.with("lock", digest.to_string()),
        },
        components,
    };
    let mut bytes = serde_json::to_vec_pretty(&bom)?;
    bytes.push(b'\n');
    Ok(bytes)
}
