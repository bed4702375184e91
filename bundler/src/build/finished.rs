//! A bundle that is there already and is the one that would be made. It is read, and not
//! written.

use std::path::PathBuf;

use bundle_format::archive::reader::Bundle;
use bundle_format::archive::{verify, writer};
use bundle_format::layout::Layout;
use bundle_format::{Digest, input};

use super::beside::Installer;
use super::output::Output;
use crate::fetch::cache::Cache;
use crate::progress::Progress;

/// The largest note of a digest, in bytes. A digest has less than a hundred.
const MOST_NOTE: u64 = 1 << 10;

/// The number of blobs of the bundle at `output`, if it is in one file, is that of `layout`,
/// and every byte of it is right as it is on the disk.
pub(super) fn blobs(
    output: &Output,
    layout: &Layout,
    quiet: bool,
) -> anyhow::Result<Option<usize>> {
    if output.split.is_some() || !output.path.is_file() {
        return Ok(None);
    }
    // What a parity file would repair is still damaged on the disk.
    let Ok(bundle) = Bundle::open_as_it_is(&output.path) else { return Ok(None) };
    if bundle.identity() != writer::identity(layout)? {
        return Ok(None);
    }
    let progress = Progress::new("verifying", bundle.length(), quiet);
    let verification = verify::verify(&bundle, |count| progress.add("", count));
    progress.finish();
    Ok(verification.report().is_none().then_some(verification.blobs))
}

/// Puts right what belongs beside the bundle, which [`blobs`] has read.
///
/// The index fixes every byte of the file, so its sum follows from the index. A note of the
/// sum and the checksums beside the bundle must say the same, because a disk may have damaged
/// either; otherwise the file is hashed again.
pub(super) fn keep(
    output: &Output,
    layout: &Layout,
    installers: &[Installer<'_>],
    cache: &Cache,
) -> anyhow::Result<Vec<PathBuf>> {
    let noted = place(layout, cache).and_then(|place| input::file_text(&place, MOST_NOTE).ok());
    let noted = noted.and_then(|text| text.trim().parse::<Digest>().ok());
    if !noted.is_some_and(|sum| output.has_sums(sum, installers)) {
        let sum = output.sum()?;
        output.write_sums(sum, installers)?;
        note(Some(sum), layout, cache);
    }
    installers.iter().try_for_each(|installer| installer.write(cache))?;
    Ok(vec![output.path.clone()])
}

/// Notes the digest of the file that `layout` gives. Without the note, the file is hashed
/// again, so a full disk is no error.
pub(super) fn note(sum: Option<Digest>, layout: &Layout, cache: &Cache) {
    if let (Some(sum), Some(place)) = (sum, place(layout, cache)) {
        drop(cache.note(&place, sum.to_string().as_bytes()));
    }
}

fn place(layout: &Layout, cache: &Cache) -> Option<PathBuf> {
    let (identity, _) = writer::identity(layout).ok()?;
    Some(cache.folder().join("sums").join(identity.hex()))
}
