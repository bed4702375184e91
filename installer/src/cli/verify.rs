//! `installer verify`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::bail;
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify;
use bundle_format::text::{count, stdout};

use crate::trust;

pub(crate) fn verify(bundle: Option<&Path>, trusted_key: &[PathBuf]) -> anyhow::Result<()> {
    let keys = trust::keys(trusted_key)?;
    let bundle = Bundle::open_trusted(&super::bundle::find(bundle)?, &keys)?;
    let (blobs, bytes) = whole(&bundle)?;
    if let Some(by) = bundle.signed() {
        writeln!(stdout(), "signed: {by}")?;
    }
    let index = bundle.index_digest();
    let blobs = count(blobs, "blob");
    writeln!(stdout(), "good: {blobs}, {bytes} bytes, index {index}")?;
    Ok(())
}

/// Reads the whole bundle. The error names everything that is damaged. Returns the
/// number of blobs and of bytes.
pub(crate) fn whole(bundle: &Bundle) -> anyhow::Result<(usize, u64)> {
    let verification = verify::verify(bundle, |_| {});
    if let Some(report) = verification.report() {
        bail!("{report}");
    }
    Ok((verification.blobs, verification.bytes))
}
