//! Writing a bundle.

use std::io::{self, Read, Write};

use super::absent::{self, Absent};
use super::{BLOCK, blob_name, header, padding};
use crate::digest::Digest;
use crate::layout::{Layout, OCI_LAYOUT};
use crate::lock::Descriptor;

/// The size of the archive of `layout`, in bytes, without the list of what a delta lacks.
pub fn size(layout: &Layout) -> u64 {
    let entry = |size: u64| BLOCK + size + padding(size);
    let blobs: u64 = layout.blobs.iter().map(|blob| entry(blob.size)).sum();
    entry(OCI_LAYOUT.len() as u64) + entry(layout.index.len() as u64) + blobs + 2 * BLOCK
}

/// What [`Bundle::identity`](super::reader::Bundle::identity) is for the archive of `layout`.
pub fn identity(layout: &Layout) -> io::Result<(Digest, u64)> {
    let (mut bytes, mut length) = (layout.index.clone(), size(layout));
    if !layout.absent.is_empty() {
        let absent = Absent::bytes(&layout.absent)?;
        let size = absent.len() as u64;
        length += BLOCK + size + padding(size);
        bytes.extend(absent);
    }
    Ok((Digest::of(&bytes), length))
}

/// Writes the archive of `layout` to `out`, which is empty. `open` gives a blob's
/// bytes from its beginning, as a file or another reader. `progress` is called with
/// the size of each blob when it is written.
///
/// Only the sizes are checked. A caller that passes unverified bytes must read the
/// result again, as [`super::verify`] does.
pub fn write<R: Read>(
    out: &mut (impl Write + ?Sized),
    layout: &Layout,
    mut open: impl FnMut(&Descriptor) -> io::Result<R>,
    mut progress: impl FnMut(u64),
) -> io::Result<()> {
    put(out, "oci-layout", OCI_LAYOUT)?;
    put(out, "index.json", &layout.index)?;
    if !layout.absent.is_empty() {
        put(out, absent::NAME, &Absent::bytes(&layout.absent)?)?;
    }
    for blob in &layout.blobs {
        let own = layout.documents.iter().find(|(descriptor, _)| descriptor == blob);
        match own {
            Some((_, bytes)) => put(out, &blob_name(blob.digest), bytes)?,
            None => copy(out, blob.digest, blob.size, open(blob)?)?,
        }
        progress(blob.size);
    }
    out.write_all(&[0; 2 * BLOCK as usize])?;
    out.flush()
}

fn put(out: &mut (impl Write + ?Sized), name: &str, bytes: &[u8]) -> io::Result<()> {
    let size = bytes.len() as u64;
    out.write_all(header(name, size)?.as_bytes())?;
    out.write_all(bytes)?;
    pad(out, size)
}

fn copy(
    out: &mut (impl Write + ?Sized),
    digest: Digest,
    size: u64,
    source: impl Read,
) -> io::Result<()> {
    out.write_all(header(&blob_name(digest), size)?.as_bytes())?;
    // Between two files, the kernel copies the bytes without this program.
    let copied = io::copy(&mut source.take(size), out)?;
    if copied != size {
        return Err(io::Error::other(format!(
            "blob {digest} has {copied} bytes instead of {size}"
        )));
    }
    pad(out, size)
}

fn pad(out: &mut (impl Write + ?Sized), size: u64) -> io::Result<()> {
    io::copy(&mut io::repeat(0).take(padding(size)), out)?;
    Ok(())
}
