//! Trusted keys in the installer's own file, behind the program. So the installer of a
//! bundle knows who must sign the bundles that it takes.
//!
//! The file ends with the keys, their length as 8 bytes in little-endian order, and
//! a mark. Linux does not read what stands behind a program.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// The last bytes of a file with keys.
const MARK: &[u8; 16] = b"kubeferry-keys\0\x01";

/// The bytes of the length and of the mark.
const END: usize = 8 + MARK.len();

/// The most bytes of keys.
pub const MOST: usize = 64 << 10;

/// A program with these keys, in place of those that it has.
pub fn with_keys(program: &[u8], keys: &str) -> Vec<u8> {
    let mut all = program_alone(program).to_vec();
    all.extend(keys.as_bytes());
    all.extend((keys.len() as u64).to_le_bytes());
    all.extend(MARK);
    all
}

/// The program without keys.
fn program_alone(file: &[u8]) -> &[u8] {
    let keys = file.split_at_checked(file.len().saturating_sub(END)).and_then(|(_, end)| size(end));
    let all = keys.and_then(|keys| usize::try_from(keys).ok()?.checked_add(END));
    let program = all.and_then(|all| file.len().checked_sub(all)).and_then(|end| file.get(..end));
    program.unwrap_or(file)
}

/// The size of the keys, from the last bytes of a file; none if it has no keys.
fn size(end: &[u8]) -> Option<u64> {
    let length = end.strip_suffix(MARK)?.try_into().ok()?;
    Some(u64::from_le_bytes(length))
}

/// The keys in the file at `path`; none if it has none. An error if what should be the keys
/// is none.
pub fn keys_of(path: &Path) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let Some(start) = length.checked_sub(END as u64) else { return Ok(None) };
    file.seek(SeekFrom::Start(start))?;
    let mut end = [0; END];
    file.read_exact(&mut end)?;
    let Some(size) = size(&end) else { return Ok(None) };
    let wrong = || io::Error::other("the keys at its end are damaged");
    let start = start.checked_sub(size).filter(|_| size <= MOST as u64).ok_or_else(wrong)?;
    file.seek(SeekFrom::Start(start))?;
    let mut keys = String::new();
    file.take(size).read_to_string(&mut keys).map_err(|_| wrong())?;
    Ok(Some(keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<Option<String>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        keys_of(file.path())
    }

    #[test]
    fn a_program_has_the_keys_that_it_was_given_last() {
        let first = with_keys(b"program", "one\n");
        assert_eq!(read(&first).unwrap().unwrap(), "one\n");
        let second = with_keys(&first, "two and more\n");
        assert_eq!(second, with_keys(b"program", "two and more\n"));
        assert_eq!(read(&second).unwrap().unwrap(), "two and more\n");
        assert_eq!(read(b"program").unwrap(), None);
        assert_eq!(read(b"").unwrap(), None);
    }

    #[test]
    fn damage_is_told() {
        let mut bytes = with_keys(b"program", "keys");
        let at = bytes.len() - END;
        bytes[at] = 200;
        assert!(read(&bytes).is_err());
        assert_eq!(program_alone(&bytes), bytes, "nothing is cut off");
        bytes[at + 7] = 255;
        assert!(read(&bytes).is_err());
        let mut bytes = with_keys(b"program", "keys");
        bytes[7] = 0xff;
        assert!(read(&bytes).is_err(), "no text");
    }
}
