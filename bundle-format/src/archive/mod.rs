//! The bundle as a file: one uncompressed tar (POSIX ustar), in one file or in parts.
//! `docs/bundle-format.md` describes the format for other programs that read bundles.

use tar::{EntryType, Header};

use crate::digest::Digest;

mod absent;
pub mod artifact;
mod at_address;
mod beside;
mod blob;
mod blobs;
pub mod delta;
pub mod documents;
mod entries;
pub mod error;
pub mod far;
mod kept;
mod listed;
mod opened;
mod others;
pub mod outline;
mod part_size;
mod patched;
pub mod reader;
pub mod repaired;
pub mod storage;
pub mod survey;
pub mod verify;
pub mod writer;

/// The size of a tar block in bytes.
const BLOCK: u64 = 512;

/// Whether a file that begins so is a bundle: `oci-layout` and then `index.json` are first in it.
/// One of the two is enough, because a bundle may be damaged.
pub fn begins(head: &[u8]) -> bool {
    let entry = |block: usize, name: &str| {
        let Some(header) = head.get(block * BLOCK as usize..) else { return false };
        header.starts_with(format!("{name}\0").as_bytes())
    };
    entry(0, "oci-layout") || entry(2, "index.json")
}

/// The header of an entry. Only the name and the size vary. So a bundle has the same
/// bytes wherever it is made, and a reader notices an altered header.
fn header(name: &str, size: u64) -> std::io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

/// The name of a blob's entry.
pub fn blob_name(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// The number of zeros from an entry's end to the next block.
fn padding(size: u64) -> u64 {
    (BLOCK - size % BLOCK) % BLOCK
}
