//! What changed from one lock to another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bundle_format::archive::reader::Bundle;
use bundle_format::lock::Lock;
use bundle_format::text::count;
use bundle_format::{Digest, lines};
use indicatif::HumanBytes;
use serde::Serialize;

use super::artifacts::{self, Artifact};
use super::change::Change;
use super::fields;
use super::subject::{Kind, Subject};
use super::texts::Texts;

/// All changes from one lock to another.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Each artifact that was added, removed or changed.
    pub changes: Vec<Change>,
    /// The size in bytes of the blobs that only the second lock has: what a delta
    /// would carry.
    pub delta: u64,
    /// How much of that the lock names: packages, images and files, and not the lists that a
    /// build makes of them.
    #[serde(skip)]
    pub of_artifacts: u64,
}

/// One of the two things that are compared.
#[derive(Clone, Copy)]
pub enum Side<'a> {
    /// No lock yet.
    Nothing,
    /// A lock.
    Lock(&'a Lock),
    /// A bundle: its lock, and the files that the build made.
    Bundle(&'a Bundle),
}

impl<'a> Side<'a> {
    fn lock(self) -> Option<&'a Lock> {
        match self {
            Self::Nothing => None,
            Self::Lock(lock) => Some(lock),
            Self::Bundle(bundle) => Some(bundle.lock()),
        }
    }

    fn blobs(self) -> BTreeMap<Digest, u64> {
        let mut blobs: BTreeMap<Digest, u64> = self.lock().map(blobs).unwrap_or_default();
        if let Self::Bundle(bundle) = self {
            let contents = bundle.contents().iter().map(|content| &content.descriptor);
            blobs.extend(contents.map(|blob| (blob.digest, blob.size)));
        }
        blobs
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            write!(f, "{change}")?;
        }
        let changes = count(self.changes.len(), "change");
        write!(f, "{changes}, {} of new blobs", HumanBytes(self.delta))
    }
}

/// Compares two locks, without the texts of their files.
pub fn of_locks(a: &Lock, b: &Lock) -> Difference {
    compare(Side::Lock(a), Side::Lock(b), &Texts::default(), lines::BRIEF)
}

/// Compares the artifacts. If these are the same, compares the locks field by field,
/// and then the files that the build made. So two locks that are not equal always
/// have a difference. At most `limit` lines of a text are shown.
pub fn compare(a: Side<'_>, b: Side<'_>, texts: &Texts<'_>, limit: usize) -> Difference {
    let mut changes = changes(a.lock(), b.lock(), texts, limit);
    if changes.is_empty()
        && let (Some(a), Some(b)) = (a.lock(), b.lock())
    {
        changes = fields::changes(a, b);
    }
    if changes.is_empty()
        && let (Side::Bundle(a), Side::Bundle(b)) = (a, b)
    {
        changes = made_up(a, b);
    }
    let (held, wanted) = (a.blobs(), b.blobs());
    let named = b.lock().map(blobs).unwrap_or_default();
    let new = |of: &BTreeMap<Digest, u64>| -> u64 {
        of.iter().filter(|(digest, _)| !held.contains_key(*digest)).map(|(_, size)| size).sum()
    };
    Difference { changes, delta: new(&wanted), of_artifacts: new(&named) }
}

fn changes(a: Option<&Lock>, b: Option<&Lock>, texts: &Texts<'_>, limit: usize) -> Vec<Change> {
    let (before, after) = (artifacts::of(a, texts), artifacts::of(b, texts));
    let subjects: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let none = BTreeMap::new();
    let mut changes = Vec::new();
    for subject in subjects {
        let (from, to) =
            (before.get(subject).unwrap_or(&none), after.get(subject).unwrap_or(&none));
        let change = |from, to| Change::new(subject.clone(), from, to);
        let gone: Vec<_> = from.iter().filter(|(version, _)| !to.contains_key(*version)).collect();
        let come: Vec<_> = to.iter().filter(|(version, _)| !from.contains_key(*version)).collect();
        let other = from.iter().filter_map(|(version, from)| {
            let is_other = |to: &&Artifact| to.exact != from.exact || to.fixed != from.fixed;
            let to = to.get(version).filter(is_other)?;
            let words = |own: &Artifact| format!("{version} {}", own.exact).trim().to_owned();
            let change = change(Some(words(from)), Some(words(to)));
            Some(change.with_content(from, to).with_text(from, to, texts, limit))
        });
        changes.extend(other);
        match (gone.as_slice(), come.as_slice()) {
            ([(from, a)], [(to, b)]) => {
                let change = change(Some((*from).clone()), Some((*to).clone()));
                // A tag with a digest behind it may be the same tag.
                changes.push(change.with_content(a, b));
            }
            _ => {
                let gone =
                    gone.into_iter().map(|(version, own)| change(Some(either(version, own)), None));
                let come =
                    come.into_iter().map(|(version, own)| change(None, Some(either(version, own))));
                changes.extend(gone.chain(come));
            }
        }
    }
    changes
}

fn either(version: &str, artifact: &Artifact) -> String {
    if version.is_empty() { artifact.exact.clone() } else { version.to_owned() }
}

/// The differences between the files that two versions of this program made from the
/// same lock.
fn made_up(a: &Bundle, b: &Bundle) -> Vec<Change> {
    let [before, after] = [a, b].map(|bundle| -> BTreeMap<String, Digest> {
        let contents = bundle.contents().iter();
        contents.map(|content| (content.path.to_string(), content.descriptor.digest)).collect()
    });
    let titles: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let words = |digest: Option<&Digest>| digest.map(ToString::to_string);
    titles
        .into_iter()
        .map(|title| (title, before.get(title), after.get(title)))
        .filter(|(_, from, to)| from != to)
        .map(|(title, from, to)| {
            let subject = Subject::new(Kind::File, format!("file {title}"));
            Change::new(subject, words(from), words(to))
        })
        .collect()
}

fn blobs(lock: &Lock) -> BTreeMap<Digest, u64> {
    let mut blobs = BTreeMap::new();
    blobs.extend(lock.rpms.iter().map(|rpm| (rpm.digest, rpm.size)));
    for image in &lock.images {
        let documents = std::iter::once(&image.root).chain(&image.unplaced);
        blobs.extend(documents.map(|one| (one.digest, one.size)));
        for platform in &image.platforms {
            let parts = [&platform.manifest, &platform.config].into_iter().chain(&platform.layers);
            blobs.extend(parts.map(|part| (part.digest, part.size)));
        }
    }
    for manifest in &lock.manifests {
        let passes = manifest.passes.iter().map(|pass| &pass.content);
        let parts = [&manifest.applied, &manifest.upstream].into_iter().chain(passes);
        blobs.extend(parts.map(|part| (part.digest, part.size)));
    }
    blobs.extend(lock.files.iter().map(|file| (file.content.digest, file.content.size)));
    blobs.extend(lock.hops.iter().flat_map(|hop| self::blobs(&lock.of_hop(hop))));
    blobs
}
