//! The things in a bundle, each with all that a reader may ask of it.

use std::collections::HashMap;

use anyhow::Context;
use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::lock::{
    FileKind, Lock, LockedFile, LockedHop, LockedImage, LockedManifest, LockedRpm, Why,
};
use bundle_format::text::count;

use super::anchors::Anchors;
use crate::image::labels;
use crate::inspect::audit::{Audited, Voucher, names};
use crate::rpm::origin::Origin;

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// An RPM.
    Package,
    /// An image.
    Image,
    /// A file of Kubernetes YAML.
    Manifest,
    /// The installer.
    Installer,
    /// A vendor's public key.
    Key,
}

impl Kind {
    /// All kinds, in the order of the page.
    pub(super) const ALL: [Self; 5] =
        [Self::Package, Self::Image, Self::Manifest, Self::Installer, Self::Key];

    /// One thing of it.
    pub(super) fn one(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Image => "image",
            Self::Manifest => "manifest",
            Self::Installer => "installer",
            Self::Key => "key",
        }
    }
}

/// A thing in a bundle.
#[derive(Debug)]
pub(super) struct Entry {
    /// What it is.
    pub(super) kind: Kind,
    /// Its name in links: letters, digits, dots and hyphens. Only this thing of the page has it.
    pub(super) id: String,
    /// The release in between that needs it, if the last release does not have it.
    pub(super) hop: Option<String>,
    /// The nodes that it is for: a target, or architectures. Empty if it is for a cluster.
    pub(super) nodes: String,
    /// Its name.
    pub(super) name: String,
    /// Its version, or its tag.
    pub(super) version: String,
    /// Its bytes. Those of an image that other images have too count in each of them.
    pub(super) size: u64,
    /// Its digest.
    pub(super) digest: Digest,
    /// Its licence, in the words of its maker.
    pub(super) licence: Option<String>,
    /// Where it came from.
    pub(super) source: String,
    /// Why it is in the bundle.
    pub(super) why: String,
    /// Who vouches for it.
    pub(super) voucher: Voucher,
}

/// Everything in a bundle, in the lock's order. What several releases have comes once, as in
/// the audit.
pub(super) fn all(bundle: &Bundle, audited: Vec<Audited>) -> anyhow::Result<Vec<Entry>> {
    let lock = bundle.lock();
    let vouchers = audited.into_iter().map(|one| (one.what, one.voucher)).collect();
    let mut found = Found { bundle, vouchers, anchors: Anchors::default(), entries: Vec::new() };
    found.add(lock, None)?;
    for hop in lock.hops.iter().rev() {
        found.add(&lock.of_hop(hop), Some(hop))?;
    }
    Ok(found.entries)
}

struct Found<'a> {
    bundle: &'a Bundle,
    vouchers: HashMap<String, Voucher>,
    anchors: Anchors,
    entries: Vec<Entry>,
}

impl Found<'_> {
    fn add(&mut self, lock: &Lock, hop: Option<&LockedHop>) -> anyhow::Result<()> {
        for rpm in &lock.rpms {
            if let Some(voucher) = self.voucher(hop, names::rpm(rpm)) {
                let origin = Origin::in_bundle(self.bundle, rpm)
                    .with_context(|| format!("reading {} of the bundle", rpm.path()))?;
                self.put(hop, of_package(rpm, origin, voucher));
            }
        }
        for image in &lock.images {
            if let Some(voucher) = self.voucher(hop, names::image(image)) {
                let configuration = image.platforms.first().map(|own| &own.config);
                let bytes = configuration.map(|blob| self.bundle.read(blob)).transpose()?;
                let licence = bytes.and_then(|bytes| labels::licence(&bytes));
                self.put(hop, of_image(image, licence, voucher));
            }
        }
        for manifest in &lock.manifests {
            if let Some(voucher) = self.voucher(hop, names::manifest(manifest)) {
                self.put(hop, of_manifest(manifest, voucher));
            }
        }
        for file in &lock.files {
            if let Some(voucher) = self.voucher(hop, names::file(file)) {
                self.put(hop, of_file(file, voucher));
            }
        }
        Ok(())
    }

    /// The voucher of a thing, unless a later release has had the thing.
    fn voucher(&mut self, hop: Option<&LockedHop>, name: String) -> Option<Voucher> {
        self.vouchers.remove(&(hop.map(names::before_hop).unwrap_or_default() + &name))
    }

    fn put(&mut self, hop: Option<&LockedHop>, entry: Entry) {
        let hop = hop.map(|hop| hop.kubernetes.to_string());
        let release = hop.as_deref().unwrap_or_default();
        let words = [entry.kind.one(), release, &entry.nodes, &entry.name, &entry.version];
        let id = self.anchors.name(&words, entry.digest);
        self.entries.push(Entry { id, hop, ..entry });
    }
}

fn of_package(rpm: &LockedRpm, origin: Origin, voucher: Voucher) -> Entry {
    Entry {
        kind: Kind::Package,
        id: String::new(),
        hop: None,
        nodes: rpm.target.clone(),
        name: rpm.package.name.clone(),
        version: format!("{}.{}", rpm.package.evr, rpm.package.arch),
        size: rpm.size,
        digest: rpm.digest,
        licence: origin.licence,
        source: rpm.source.to_string(),
        why: words(&rpm.why),
        voucher,
    }
}

fn of_image(image: &LockedImage, licence: Option<String>, voucher: Voucher) -> Entry {
    let nodes: Vec<&str> = image.platforms.iter().map(|own| own.architecture.oci()).collect();
    let parts = image.platforms.iter().flat_map(|own| {
        [own.manifest.size, own.config.size]
            .into_iter()
            .chain(own.layers.iter().map(|one| one.size))
    });
    let version = match (image.name.tag(), image.name.digest()) {
        (Some(tag), _) => tag.to_owned(),
        (None, _) => "by digest".to_owned(),
    };
    Entry {
        kind: Kind::Image,
        id: String::new(),
        hop: None,
        nodes: nodes.join(", "),
        name: image.name.name(),
        version,
        size: parts.sum(),
        digest: image.root.digest,
        licence,
        source: image.source.to_string(),
        why: words(&image.why),
        voucher,
    }
}

fn of_manifest(manifest: &LockedManifest, voucher: Voucher) -> Entry {
    let version = match manifest.patches.len() {
        0 => String::new(),
        changes => format!("patched, {}", count(changes, "change")),
    };
    Entry {
        kind: Kind::Manifest,
        id: String::new(),
        hop: None,
        nodes: String::new(),
        name: manifest.name.clone(),
        version,
        size: manifest.applied.size,
        digest: manifest.applied.digest,
        licence: None,
        source: manifest.source.clone(),
        why: "the spec lists it".to_owned(),
        voucher,
    }
}

fn of_file(file: &LockedFile, voucher: Voucher) -> Entry {
    let (kind, why) = match file.kind {
        FileKind::Key => (Kind::Key, "it checks the packages of its repository"),
        FileKind::Installer => (Kind::Installer, "it installs the bundle"),
        FileKind::Chart => (Kind::Manifest, "the manifest of this name is made from it"),
    };
    Entry {
        kind,
        id: String::new(),
        hop: None,
        nodes: String::new(),
        name: file.path.below_folder(),
        version: String::new(),
        size: file.content.size,
        digest: file.content.digest,
        licence: None,
        source: file.source.to_string(),
        why: why.to_owned(),
        voucher,
    }
}

/// The first reason, and how many others there are.
fn words(why: &[Why]) -> String {
    match why {
        [] => String::new(),
        [one] => one.to_string(),
        [first, others @ ..] => {
            format!("{first}; and {}", count(others.len(), "other reason"))
        }
    }
}
