//! An image, with what its layers say is installed in it.

use std::collections::{BTreeMap, HashMap};

use bundle_format::Digest;
use bundle_format::lock::{LockedImage, LockedPlatform};

use super::bom::{Component, Kind};
use super::database::{Found, Package, System};
use super::distribution::{Distribution, namespace};
use super::layers::Layer;
use super::purl::Purl;

/// The most layers of an image. Linux puts at most 500 on top of each other (`overlayfs`).
const MAX_LAYERS: usize = 500;

/// A component for each platform of an image.
pub(super) fn components(image: &LockedImage, layers: &HashMap<Digest, Layer>) -> Vec<Component> {
    image.platforms.iter().map(|platform| component(image, platform, layers)).collect()
}

fn component(
    image: &LockedImage,
    platform: &LockedPlatform,
    layers: &HashMap<Digest, Layer>,
) -> Component {
    let (name, architecture) = (&image.name, platform.architecture.oci());
    let digest = platform.manifest.digest;
    let reference = format!("image {name} {architecture}");
    let last = name.repository().rsplit('/').next().unwrap_or_default();
    let purl = Purl::new("oci", &last.to_lowercase())
        .version(&digest.to_string())
        .qualifier("arch", architecture)
        .qualifier("repository_url", &name.name())
        .qualifier("tag", name.tag().unwrap_or_default());
    let own: Vec<&Layer> =
        platform.layers.iter().filter_map(|one| layers.get(&one.digest)).collect();
    let inside = match own.len() {
        0..=MAX_LAYERS => Inside::of(&own),
        count => Inside { unread: vec![format!("it has {count} layers")], ..Inside::default() },
    };
    let mut component = Component {
        kind: Kind::Container,
        name: name.name(),
        version: Some(name.tag().map_or_else(|| digest.to_string(), str::to_owned)),
        purl: Some(purl.to_string()),
        components: inside.components(&reference),
        reference,
        ..Component::default()
    }
    .with_digest(digest)
    .with("architecture", architecture)
    .with("indexDigest", image.root.digest.to_string())
    .with("configDigest", platform.config.digest.to_string());
    if image.source != *name {
        component = component.with("source", image.source.to_string());
    }
    component = component.with_some(
        "distribution",
        Some(inside.distribution.qualifier()).filter(|text| !text.is_empty()),
    );
    for layer in &platform.layers {
        component = component.with("layer", layer.digest.to_string());
    }
    for (layer, blob) in own.iter().zip(&platform.layers) {
        if let Some(problem) = &layer.problem {
            component = component.with("unread", format!("layer {}: {problem}", blob.digest));
        }
    }
    inside.unread.iter().fold(component, |one, words| one.with("unread", words))
}

/// What can be seen in an image, with all its layers on top of each other.
#[derive(Default)]
struct Inside<'a> {
    distribution: Distribution,
    /// The packages, each once, with the files that list them.
    packages: BTreeMap<Key<'a>, (&'a Package, Vec<&'a str>)>,
    /// What could not be read, and why.
    unread: Vec<String>,
}

/// Kind, name, version and architecture.
type Key<'a> = (System, &'a str, &'a str, Option<&'a str>);

impl<'a> Inside<'a> {
    /// Of layers, the lowest first.
    fn of(layers: &[&'a Layer]) -> Self {
        let mut seen: BTreeMap<&str, &Found> = BTreeMap::new();
        for (number, layer) in layers.iter().enumerate() {
            let above = layers.get(number + 1..).unwrap_or_default();
            for (path, found) in &layer.found {
                if !above.iter().any(|one| one.hides(path)) {
                    seen.insert(path, found);
                }
            }
        }
        let mut inside = Self::default();
        // `etc/` comes before `usr/lib/`, as os-release(5) has it.
        for (path, found) in seen {
            match found {
                Found::OsRelease(own) if inside.distribution == Distribution::default() => {
                    inside.distribution = own.clone();
                }
                Found::OsRelease(_) => {}
                Found::Unread(why) => inside.unread.push(format!("{path}: {why}")),
                Found::Packages(system, packages) => {
                    packages.iter().for_each(|package| inside.add(*system, package, path));
                }
            }
        }
        inside
    }

    fn add(&mut self, system: System, package: &'a Package, path: &'a str) {
        let Package { name, version, architecture, .. } = package;
        let key: Key<'a> = (system, name, version, architecture.as_deref());
        let (_, paths) = self.packages.entry(key).or_insert((package, Vec::new()));
        if paths.last() != Some(&path) {
            paths.push(path);
        }
    }

    fn components(&self, image: &str) -> Vec<Component> {
        let all = self.packages.iter().enumerate();
        all.map(|(number, ((system, ..), (package, paths)))| {
            let component = Component {
                reference: format!("{image} {}", number + 1),
                publisher: package.vendor.clone(),
                name: package.name.clone(),
                version: Some(package.version.clone()).filter(|version| !version.is_empty()),
                purl: Some(purl(*system, package, &self.distribution).to_string()),
                ..Component::default()
            };
            let component = component
                .with_licence(package.licence.clone())
                .with_some("sourcePackage", package.source.clone());
            paths.iter().fold(component, |one, path| one.with("path", *path))
        })
        .collect()
    }
}

fn purl(system: System, package: &Package, distribution: &Distribution) -> Purl {
    let Package { name, version, .. } = package;
    let of_distribution = |kind, default: &str, upstream: &str| {
        let id = match distribution.id.as_str() {
            "" => default,
            id => id,
        };
        Purl::new(kind, name)
            .namespace(namespace(id))
            .version(version)
            .qualifier("arch", package.architecture.as_deref().unwrap_or_default())
            .qualifier("upstream", upstream)
            .qualifier("distro", &distribution.qualifier())
    };
    let source = package.source.as_deref().unwrap_or_default();
    match system {
        System::Apk => of_distribution("apk", "alpine", source),
        System::Dpkg => {
            // `glibc (2.36-9)` is `glibc@2.36-9`.
            let upstream = source.replacen(" (", "@", 1).replace(')', "");
            of_distribution("deb", "debian", &upstream)
        }
        System::Rpm => {
            let (epoch, version) = version.split_once(':').unwrap_or(("", version));
            let purl = of_distribution("rpm", "", source).version(version);
            purl.qualifier("epoch", epoch)
        }
        System::Go => {
            // The type's rules want lower case.
            let lower = name.to_lowercase();
            let (namespace, last) = lower.rsplit_once('/').unwrap_or(("", &lower));
            Purl::new("golang", last).namespace(namespace).version(version)
        }
    }
}
