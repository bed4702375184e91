//! What those have already who get a bundle, so that it can be left out.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use anyhow::Context;
use bundle_format::archive::reader::Bundle;
use bundle_format::bounds::MAX_HAVE;
use bundle_format::have::Have;
use bundle_format::lock::Descriptor;
use bundle_format::text::count;
use bundle_format::{Digest, input};
use indicatif::HumanBytes;

/// The blobs of the bundles `against`, and those that are in all have-lists.
pub(super) fn had(against: &[PathBuf], have: &[PathBuf]) -> anyhow::Result<HashSet<Digest>> {
    let mut had = HashSet::new();
    for path in against {
        let old = Bundle::open(path).with_context(|| format!("--against {}", path.display()))?;
        had.extend(old.digests());
    }
    had.extend(of_all(have)?);
    Ok(had)
}

/// The blobs that all have-lists name.
fn of_all(files: &[PathBuf]) -> anyhow::Result<BTreeSet<Digest>> {
    let read = |path: &PathBuf| {
        let reading = || format!("--have {}", path.display());
        let text = input::named_text(path, MAX_HAVE).with_context(reading)?;
        Ok(Have::parse(text.as_bytes()).with_context(reading)?.blobs)
    };
    let lists = files.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(lists.into_iter().reduce(|all, own| &all & &own).unwrap_or_default())
}

/// How much was left out.
pub(super) fn left_out(absent: &[Descriptor]) -> String {
    if absent.is_empty() {
        return "nothing was left out: this is the whole bundle".to_owned();
    }
    let bytes = absent.iter().map(|blob| blob.size).sum();
    format!("left out: {}, {}", count(absent.len(), "blob"), HumanBytes(bytes))
}
