//! Manifests, keys and installers.

use anyhow::Context;
use bundle_format::BundlePath;
use bundle_format::lock::{FileKind, LockedFile, LockedManifest};

use super::bom::{Component, Kind};
use super::content::{Open, whole};
use super::crates;
use super::release::{Release, reference};

/// A component for each of these.
pub(super) fn components(release: &Release<'_>, open: &Open<'_>) -> anyhow::Result<Vec<Component>> {
    let lock = release.lock;
    let mut components: Vec<Component> = lock.manifests.iter().map(of_manifest).collect();
    for file in &lock.files {
        let mut component = of_file(file, &release.place(file.path.clone()));
        if file.kind == FileKind::Installer {
            let reference = component.reference.clone();
            component.components =
                whole(open, &file.content, |program| crates::components(program, &reference))
                    .and_then(|components| Ok(components?))
                    .with_context(|| format!("reading {}", file.path))?;
        }
        components.push(component);
    }
    Ok(components)
}

fn of_manifest(manifest: &LockedManifest) -> Component {
    let (path, applied) = (manifest.path(), &manifest.applied);
    let component = Component {
        kind: Kind::File,
        reference: reference(&path, applied.digest),
        name: manifest.name.clone(),
        ..Component::default()
    };
    let component = with_source(component, &manifest.source)
        .with_digest(applied.digest)
        .with("path", path.to_string());
    match manifest.upstream == *applied {
        true => component,
        // Scanners look a published file up by the digest that it was published with.
        false => component.with("publishedDigest", manifest.upstream.digest.to_string()),
    }
}

fn of_file(file: &LockedFile, path: &BundlePath) -> Component {
    let component = Component {
        kind: match file.kind {
            FileKind::Key | FileKind::Chart => Kind::File,
            FileKind::Installer => Kind::Application,
        },
        reference: reference(path, file.content.digest),
        name: match file.kind {
            FileKind::Key | FileKind::Chart => path.file_name(),
            FileKind::Installer => "Kubeferry installer".to_owned(),
        },
        ..Component::default()
    };
    with_source(component, &file.source.to_string())
        .with_digest(file.content.digest)
        .with("path", path.to_string())
}

fn with_source(component: Component, source: &str) -> Component {
    match source.contains("://") {
        true => component.at_url(source),
        false => component.with("source", source),
    }
}
