//! All that the page says of a bundle, gathered before a line of it is written.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bundle_format::archive::reader::Bundle;
use bundle_format::lines::{self, Lines};
use bundle_format::lock::LockedManifest;

use super::entry::{self, Entry, Kind};
use super::keys::{self, Key};
use crate::inspect::audit::{self, Audit, Audited, By, Ending};
use crate::inspect::difference::{self, Difference, Side};
use crate::inspect::texts::Texts;

/// The most lines of one diff on the page.
const LONGEST_DIFF: usize = 2000;

/// What is known of a bundle.
pub(super) struct Facts<'a> {
    /// The bundle.
    pub(super) bundle: &'a Bundle,
    /// The bundle before, and what changed since.
    pub(super) before: Option<(&'a Bundle, Difference)>,
    /// Everything in the bundle.
    pub(super) entries: Vec<Entry>,
    /// The metadata of the repositories, with who signed it.
    pub(super) metadata: Vec<Audited>,
    /// The vendors' keys.
    pub(super) keys: Vec<Key>,
    /// The keys that signed something and end while the bundle may still be in use.
    pub(super) ending: Vec<Ending>,
    /// The manifests that the spec patched, each with its changed lines. Without the lines,
    /// if the texts are too long to compare.
    pub(super) patched: Vec<(&'a LockedManifest, Option<Lines>)>,
    /// The time at which keys and signatures were judged. The page shows only its day.
    pub(super) now: SystemTime,
}

impl<'a> Facts<'a> {
    /// Gathers all of it.
    pub(super) fn of(
        bundle: &'a Bundle,
        before: Option<&'a Bundle>,
        now: SystemTime,
    ) -> anyhow::Result<Self> {
        let compared = |old: &'a Bundle| {
            let texts = Texts { bundles: vec![old, bundle], ..Texts::default() };
            let (from, to) = (Side::Bundle(old), Side::Bundle(bundle));
            (old, difference::compare(from, to, &texts, LONGEST_DIFF))
        };
        let mut patched = Vec::new();
        for manifest in bundle.lock().manifests.iter().filter(|own| !own.patches.is_empty()) {
            let (from, to) = (bundle.read(&manifest.upstream)?, bundle.read(&manifest.applied)?);
            patched.push((manifest, lines::of_texts(&from, &to, LONGEST_DIFF)));
        }
        let audit = audit::audit(bundle, now)?;
        let ending = audit.ending(now);
        let Audit { things, metadata } = audit;
        Ok(Self {
            bundle,
            before: before.map(compared),
            entries: entry::all(bundle, things)?,
            metadata,
            keys: keys::all(bundle, now)?,
            ending,
            patched,
            now,
        })
    }

    /// The things of one kind.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.kind == kind)
    }

    /// How many things of the last release are of this kind.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.of_kind(kind).filter(|entry| entry.hop.is_none()).count()
    }

    /// How many things each voucher has, the weakest first.
    pub(super) fn vouched(&self) -> BTreeMap<By, usize> {
        let mut counts = BTreeMap::new();
        for entry in &self.entries {
            *counts.entry(entry.voucher.by).or_default() += 1;
        }
        counts
    }
}
