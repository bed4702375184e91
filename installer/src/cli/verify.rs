//! `installer verify`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify::{self, Verification};
use bundle_format::text::{count, stdout};

use crate::trust;

pub(crate) fn verify(bundles: &[PathBuf], trusted_key: &[PathBuf]) -> anyhow::Result<()> {
    let bundle = super::bundle::open(bundles, &trust::keys(trusted_key)?)?;
    let found = whole(&bundle)?;
    if let Some(by) = bundle.signed() {
        writeln!(stdout(), "signed: {by}")?;
    }
    let index = bundle.index_digest();
    let (blobs, bytes) = (count(found.blobs, "blob"), found.bytes);
    writeln!(stdout(), "good: {blobs}, {bytes} bytes, index {index}")?;
    if let Some(lack) = found.lack() {
        writeln!(stdout(), "{lack}")?;
    }
    Ok(())
}

/// Reads the whole bundle. The error names everything that is damaged.
pub(crate) fn whole(bundle: &Bundle) -> anyhow::Result<Verification> {
    let verification = verify::verify(bundle, |_| {});
    if let Some(report) = verification.report() {
        bail!("{report}");
    }
    Ok(verification)
}
