//! Files in a tar archive that only root is to read, also when it is unpacked.

use std::io::{self, Read, Write};

use tar::{Builder, EntryType, Header};

/// Adds a file of `size` bytes to `archive`. Its time is in seconds since 1970.
pub(crate) fn pack(
    archive: &mut Builder<impl Write>,
    name: &str,
    time: u64,
    size: u64,
    from: impl Read,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o600);
    header.set_mtime(time);
    archive.append_data(&mut header, name, from)
}
