//! The names that people use for the things in a bundle. All commands that take a
//! name use this module.

use bundle_format::layout::image_title;
use bundle_format::lock::{
    FileKind, Lock, LockedFile, LockedHop, LockedImage, LockedManifest, LockedRpm, LockedTarget,
};
use bundle_format::{ImageReference, Nevra};

/// A thing that a lock lists.
#[derive(Clone, Copy)]
pub enum Thing<'a> {
    /// A package of the bundle.
    Rpm(&'a LockedRpm),
    /// An image.
    Image(&'a LockedImage),
    /// A manifest.
    Manifest(&'a LockedManifest),
    /// A key, an installer or another single file.
    File(&'a LockedFile),
    /// A package that the spec asks for and that the target's nodes have already.
    OnNodes(&'a LockedTarget, &'a Nevra),
}

/// All things that have the name `name`.
pub fn find<'a>(lock: &'a Lock, name: &str) -> Vec<Thing<'a>> {
    all(lock).into_iter().filter(|thing| thing.is_called(lock, name)).collect()
}

/// The hop that has a thing of this name, and that hop's lock. It is for names that the last
/// release does not have.
pub fn hop_with<'a>(lock: &'a Lock, name: &str) -> Option<(&'a LockedHop, Lock)> {
    let mut hops = lock.hops.iter().map(|hop| (hop, lock.own_of_hop(hop)));
    hops.find(|(_, own)| !find(own, name).is_empty())
}

/// Names that the user may have meant, if nothing has `name`: the most similar first,
/// at most three.
pub fn meant(lock: &Lock, name: &str) -> Vec<String> {
    let wanted = name.to_lowercase();
    let longest = wanted.chars().count();
    let mut near: Vec<(usize, String)> = Vec::new();
    let others = all(lock).into_iter().filter_map(|thing| thing.other_version(name));
    near.extend(others.map(|own| (0, own)));
    for own in all(lock).iter().flat_map(Thing::short_names) {
        let plain = own.to_lowercase();
        let distance = strsim::osa_distance(&wanted, &plain);
        // A word with a typing mistake, or the beginning of a word.
        let is_slip = distance <= 2 && distance * 2 < longest;
        if is_slip || (longest > 2 && plain.starts_with(&wanted)) {
            near.push((if is_slip { distance } else { 3 }, own));
        }
    }
    near.sort();
    near.dedup_by(|a, b| a.1 == b.1);
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

fn all(lock: &Lock) -> Vec<Thing<'_>> {
    let mut things: Vec<Thing<'_>> = lock.rpms.iter().map(Thing::Rpm).collect();
    things.extend(lock.images.iter().map(Thing::Image));
    things.extend(lock.manifests.iter().map(Thing::Manifest));
    things.extend(lock.files.iter().map(Thing::File));
    for target in &lock.targets {
        let carried = |package: &&Nevra| {
            lock.rpms.iter().any(|rpm| rpm.target == target.id && rpm.package == **package)
        };
        let there = target.requested.iter().filter(|package| !carried(package));
        things.extend(there.map(|package| Thing::OnNodes(target, package)));
    }
    things
}

impl Thing<'_> {
    /// The path under which it is extracted; `None` if the bundle does not hold
    /// it.
    pub fn title(&self) -> Option<String> {
        match self {
            Self::Rpm(rpm) => Some(rpm.path().to_string()),
            Self::Image(image) => Some(image_title(image)),
            Self::Manifest(manifest) => Some(manifest.path().to_string()),
            Self::File(file) => Some(file.path.to_string()),
            Self::OnNodes(..) => None,
        }
    }

    /// The same, if it is one of a hop.
    pub fn title_in(&self, hop: &LockedHop) -> Option<String> {
        let title = self.title()?;
        match self {
            Self::Image(_) => Some(title),
            _ => Some(format!("{}/{title}", hop.folder())),
        }
    }

    /// Its short and well-known names.
    fn short_names(&self) -> Vec<String> {
        match self {
            Self::Rpm(rpm) => vec![rpm.package.name.clone()],
            Self::OnNodes(_, package) => vec![package.name.clone()],
            Self::Image(image) => vec![last(image.name.repository()), image.name.to_string()],
            Self::Manifest(manifest) => vec![manifest.name.clone()],
            Self::File(file) => vec![file.path.file_name(), file.path.to_string()],
        }
    }

    /// Its full name, if `name` is its name with another version, tag or digest.
    fn other_version(&self, name: &str) -> Option<String> {
        let of_package = |package: &Nevra| {
            let version = name.strip_prefix(&package.name)?.strip_prefix('-')?;
            version.starts_with(|c: char| c.is_ascii_digit()).then(|| package.to_string())
        };
        match self {
            Self::Rpm(rpm) => of_package(&rpm.package),
            Self::OnNodes(_, package) => of_package(package),
            Self::Image(image) => {
                let repository = name.split('@').next().unwrap_or(name);
                let repository = match repository.rsplit_once(':') {
                    Some((before, tag)) if !tag.contains('/') => before,
                    _ => repository,
                };
                let short = image.name.repository();
                let is_it = [&image.name, &image.source].iter().any(|own| own.name() == repository)
                    || short == repository
                    || last(short) == repository;
                is_it.then(|| image.name.to_string())
            }
            Self::Manifest(_) | Self::File(_) => None,
        }
    }

    fn is_called(&self, lock: &Lock, name: &str) -> bool {
        let mut names = self.short_names();
        names.extend(self.title());
        names.extend(self.title().map(|title| last(&title)));
        names.extend(self.digests());
        match self {
            Self::Rpm(rpm) => names.extend(names_of_package(&rpm.package)),
            Self::OnNodes(_, package) => names.extend(names_of_package(package)),
            Self::Image(image) => return names_of_image(image, name) || is_one(&names, name),
            Self::Manifest(manifest) => {
                names.extend([manifest.source.clone(), last(&manifest.source)]);
                names.push(manifest.upstream_path().to_string());
                names.extend(manifest.passes().map(|(path, _)| path.to_string()));
            }
            Self::File(file) if file.kind == FileKind::Key => {
                names.push(file.source.to_string());
                return is_one(&names, name) || has_fingerprint(lock, file, name);
            }
            Self::File(file) => names.push(file.source.to_string()),
        }
        is_one(&names, name)
    }

    /// Each digest, with and without `sha256:`.
    fn digests(&self) -> Vec<String> {
        let digests = match self {
            Self::Rpm(rpm) => vec![rpm.digest],
            Self::OnNodes(..) => Vec::new(),
            Self::Image(image) => {
                let platforms = image.platforms.iter().map(|platform| platform.manifest.digest);
                std::iter::once(image.root.digest).chain(platforms).collect()
            }
            Self::Manifest(manifest) => vec![manifest.applied.digest, manifest.upstream.digest],
            Self::File(file) => vec![file.content.digest],
        };
        digests.iter().flat_map(|digest| [digest.to_string(), digest.hex()]).collect()
    }
}

fn is_one(names: &[String], name: &str) -> bool {
    names.iter().any(|own| own == name)
}

fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// The names of a package that rpm and dnf know: `NAME.ARCH`, `NAME-VERSION`,
/// `NAME-VERSION-RELEASE`, with or without an architecture and an epoch, also the
/// epoch 0.
fn names_of_package(package: &Nevra) -> Vec<String> {
    let Nevra { name, evr, arch } = package;
    let release = format!("{}-{}", evr.version, evr.release);
    let mut names = vec![format!("{name}.{arch}"), format!("{name}-{}", evr.version)];
    for epoch in [String::new(), format!("{}:", evr.epoch)] {
        names.push(format!("{name}-{epoch}{release}"));
        names.push(format!("{name}-{epoch}{release}.{arch}"));
    }
    names
}

/// Whether `name` is the image's reference, in full or as docker shortens it, with or
/// without its tag and digest, or the name under which it is pulled.
pub(crate) fn names_of_image(image: &LockedImage, name: &str) -> bool {
    let of = |own: &ImageReference| {
        let (tag, repository) = (own.tag().unwrap_or_default(), own.repository());
        let same = |wanted: ImageReference| {
            wanted.name() == own.name()
                && wanted.digest().is_none_or(|digest| digest == image.root.digest)
                && (wanted.tag() == own.tag()
                    || (wanted.tag().is_none() && wanted.digest().is_some()))
        };
        own.name() == name
            || repository == name
            || format!("{repository}:{tag}") == name
            || format!("{}:{tag}", last(repository)) == name
            || name.parse().is_ok_and(same)
    };
    of(&image.name) || of(&image.source)
}

/// Whether the file is a repository's key with this fingerprint, or with a
/// fingerprint that ends so, as `gpg` and `rpm` print it.
fn has_fingerprint(lock: &Lock, file: &LockedFile, name: &str) -> bool {
    let wanted = name.replace([' ', ':'], "").to_lowercase();
    let wanted = wanted.trim_start_matches("0x");
    if wanted.len() < 8 || !wanted.chars().all(|c| c.is_ascii_hexdigit()) {
        return false;
    }
    lock.targets.iter().any(|target| {
        target.repositories.iter().any(|repository| {
            file.path.is_key_of(&target.id, &repository.id)
                && repository.keys.iter().any(|key| key.to_lowercase().ends_with(wanted))
        })
    })
}
