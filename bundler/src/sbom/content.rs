//! The bytes that a document is made from.

use std::io::{self, Read};

use bundle_format::lock::Descriptor;

/// Gives a reader of a blob: from the cache, or from a bundle, which checks the digest when
/// the blob was read to its end.
pub type Open<'a> = dyn Fn(&Descriptor) -> anyhow::Result<Box<dyn Read + 'a>> + Sync + 'a;

/// Runs `read` on a blob, and then reads on to its end. So damage is always found, even if
/// `read` needs only the beginning, or does not understand it.
pub(super) fn whole<T>(
    open: &Open<'_>,
    blob: &Descriptor,
    read: impl FnOnce(&mut dyn Read) -> T,
) -> anyhow::Result<T> {
    let mut reader = open(blob)?;
    let result = read(&mut reader);
    io::copy(&mut reader, &mut io::sink())?;
    Ok(result)
}
