//! Which thing has which bytes of a bundle. Each blob counts once.

use std::collections::BTreeMap;

use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::lock::{Descriptor, FileKind, Lock, LockedImage};

use super::entry::Kind;

/// How many things have a tile of their own.
const MOST: usize = 36;

/// A part of the bundle's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// What it is; none for the index, the lock, metadata and the archive's own.
    pub(super) kind: Option<Kind>,
    /// Its name.
    pub(super) name: String,
    /// Its bytes.
    pub(super) bytes: u64,
}

/// The words for all things of a kind.
pub(super) fn words(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Package) => "Packages",
        Some(Kind::Image) => "Images",
        Some(Kind::Manifest) => "Manifests",
        Some(Kind::Installer) => "Installers",
        Some(Kind::Key) => "Keys",
        None => "Index, lock and metadata",
    }
}

/// All shares, the largest first. Together they are the bundle.
pub(super) fn all(bundle: &Bundle) -> Vec<Share> {
    let mut owners = Owners::default();
    owners.add_all(bundle.lock());
    let mut all = owners.shares();
    let known: u64 = all.iter().map(|share| share.bytes).sum();
    let bytes = bundle.length().saturating_sub(known);
    all.push(Share { kind: None, name: words(None).to_owned(), bytes });
    all.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    all
}

/// The largest shares, with the others of each kind as one.
pub(super) fn largest(all: &[Share]) -> Vec<Share> {
    let (first, others) = all.split_at(all.len().min(MOST));
    let mut rest: BTreeMap<Option<Kind>, u64> = BTreeMap::new();
    for share in others {
        *rest.entry(share.kind).or_default() += share.bytes;
    }
    let rest = rest.into_iter().map(|(kind, bytes)| Share {
        kind,
        // Without a number: a share may be what several things have in common.
        name: match kind {
            Some(kind) => format!("smaller {}s", kind.one()),
            None => words(None).to_owned(),
        },
        bytes,
    });
    first.iter().cloned().chain(rest).collect()
}

/// Which things have a blob.
#[derive(Default)]
struct Owners(BTreeMap<Digest, (u64, Kind, Vec<String>)>);

impl Owners {
    fn add_all(&mut self, lock: &Lock) {
        for rpm in &lock.rpms {
            let own = Descriptor { media_type: "".into(), digest: rpm.digest, size: rpm.size };
            self.add(Kind::Package, &rpm.package.name, &own);
        }
        lock.images.iter().for_each(|image| self.image(image));
        for manifest in &lock.manifests {
            let passes = manifest.passes.iter().map(|pass| &pass.content);
            for blob in [&manifest.applied, &manifest.upstream].into_iter().chain(passes) {
                self.add(Kind::Manifest, &manifest.name, blob);
            }
        }
        for file in &lock.files {
            let kind = match file.kind {
                FileKind::Key => Kind::Key,
                FileKind::Installer => Kind::Installer,
                FileKind::Chart => Kind::Manifest,
            };
            self.add(kind, &file.path.below_folder(), &file.content);
        }
        lock.hops.iter().for_each(|hop| self.add_all(&lock.of_hop(hop)));
    }

    fn image(&mut self, image: &LockedImage) {
        let documents = std::iter::once(&image.root).chain(&image.unplaced);
        let parts = image
            .platforms
            .iter()
            .flat_map(|own| [&own.manifest, &own.config].into_iter().chain(&own.layers));
        for blob in documents.chain(parts) {
            self.add(Kind::Image, &image.name.to_string(), blob);
        }
    }

    fn add(&mut self, kind: Kind, name: &str, blob: &Descriptor) {
        let (_, _, names) =
            self.0.entry(blob.digest).or_insert_with(|| (blob.size, kind, Vec::new()));
        if !names.iter().any(|own| own == name) {
            names.push(name.to_owned());
        }
    }

    /// The bytes of each thing. What several have is a share of its own.
    fn shares(self) -> Vec<Share> {
        let mut sums: BTreeMap<(Kind, String), u64> = BTreeMap::new();
        for (size, kind, names) in self.0.into_values() {
            let name = match names.as_slice() {
                [one] => one.clone(),
                _ => format!("common to several {}s", kind.one()),
            };
            *sums.entry((kind, name)).or_default() += size;
        }
        let share = |((kind, name), bytes)| Share { kind: Some(kind), name, bytes };
        sums.into_iter().map(share).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_have_counts_once() {
        let blob = |text: &[u8], size| Descriptor {
            media_type: "".into(),
            digest: Digest::of(text),
            size,
        };
        let mut owners = Owners::default();
        owners.add(Kind::Image, "a", &blob(b"base", 10));
        owners.add(Kind::Image, "b", &blob(b"base", 10));
        owners.add(Kind::Image, "b", &blob(b"own", 3));
        owners.add(Kind::Image, "b", &blob(b"own", 3));
        let found: Vec<(String, u64)> =
            owners.shares().into_iter().map(|share| (share.name, share.bytes)).collect();
        assert_eq!(found, [("b".to_owned(), 3), ("common to several images".to_owned(), 10)]);
    }

    #[test]
    fn small_shares_become_one_of_their_kind() {
        let share = |number: u64| Share {
            kind: Some(Kind::Package),
            name: number.to_string(),
            bytes: 100 - number,
        };
        let all: Vec<Share> = (0..40).map(share).collect();
        let found = largest(&all);
        assert_eq!(found.len(), MOST + 1);
        assert_eq!(found[MOST].name, "smaller packages");
        assert_eq!(found.iter().map(|own| own.bytes).sum::<u64>(), 40 * 100 - 780);
    }
}
