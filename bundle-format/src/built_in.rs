//! Trusted keys in the installer's own file, behind the program. So the installer of a
//! bundle knows who must sign the bundles that it takes.
//!
//! The file ends with the keys, their length as 8 bytes in little-endian order, and
//! a mark. Linux does not read what stands behind a program. A file that was cut short has
//! lost its end. So an ELF program also says at its beginning that it has keys: in the padding
//! of its header, which every reader ignores (ELF specification, `EI_PAD`).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

/// The last bytes of a file with keys.
const MARK: &[u8; 16] = b"kubeferry-keys\0\x01";

/// The bytes of the length and of the mark.
const END: usize = 8 + MARK.len();

/// The first bytes of an ELF program.
const ELF: &[u8] = b"\x7fELF";

/// Where the padding of an ELF header is.
const PADDING: Range<usize> = 9..16;

/// The padding of a program with keys.
const HAS_KEYS: &[u8; 7] = b"kf-keys";

/// The most bytes of keys.
pub const MOST: usize = 64 << 10;

/// A program with these keys, in place of those that it has. An error if it has lost its own.
pub fn with_keys(program: &[u8], keys: &str) -> io::Result<Vec<u8>> {
    check(program)?;
    let mut all = program_alone(program).to_vec();
    if all.starts_with(ELF)
        && let Some(padding) = all.get_mut(PADDING)
    {
        padding.copy_from_slice(HAS_KEYS);
    }
    all.extend(keys.as_bytes());
    all.extend((keys.len() as u64).to_le_bytes());
    all.extend(MARK);
    Ok(all)
}

/// An error if a program had keys, and has no longer its whole end.
pub fn check(program: &[u8]) -> io::Result<()> {
    let is_whole = program_alone(program).len() < program.len();
    if has_had_keys(program) && !is_whole { Err(lost()) } else { Ok(()) }
}

/// Whether the beginning of a file says that keys are at its end.
fn has_had_keys(file: &[u8]) -> bool {
    file.starts_with(ELF) && file.get(PADDING).is_some_and(|padding| padding == HAS_KEYS)
}

fn lost() -> io::Error {
    io::Error::other(
        "it was made with trusted keys at its end, and they are not there any more: the file was \
         cut short, or something was added to it",
    )
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

/// The keys in the file at `path`; none if it never had any. An error if they are
/// damaged or lost.
pub fn keys_of(path: &Path) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    file.by_ref().take(PADDING.end as u64).read_to_end(&mut head)?;
    let none = || if has_had_keys(&head) { Err(lost()) } else { Ok(None) };
    let length = file.metadata()?.len();
    let Some(start) = length.checked_sub(END as u64) else { return none() };
    file.seek(SeekFrom::Start(start))?;
    let mut end = [0; END];
    file.read_exact(&mut end)?;
    let Some(size) = size(&end) else { return none() };
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
        let first = with_keys(b"program", "one\n").unwrap();
        assert_eq!(read(&first).unwrap().unwrap(), "one\n");
        let second = with_keys(&first, "two and more\n").unwrap();
        assert_eq!(second, with_keys(b"program", "two and more\n").unwrap());
        assert_eq!(read(&second).unwrap().unwrap(), "two and more\n");
        assert_eq!(read(b"program").unwrap(), None);
        assert_eq!(read(b"").unwrap(), None);
    }

    #[test]
    fn damage_is_told() {
        let mut bytes = with_keys(b"program", "keys").unwrap();
        let at = bytes.len() - END;
        bytes[at] = 200;
        assert!(read(&bytes).is_err());
        assert_eq!(program_alone(&bytes), bytes, "nothing is cut off");
        bytes[at + 7] = 255;
        assert!(read(&bytes).is_err());
        let mut bytes = with_keys(b"program", "keys").unwrap();
        bytes[7] = 0xff;
        assert!(read(&bytes).is_err(), "no text");
    }

    #[test]
    fn an_elf_program_that_has_lost_its_keys_says_so() {
        let program = [ELF, &[2, 1, 1, 0], &[0; 8], b"and its code"].concat();
        let whole = with_keys(&program, "one\n").unwrap();
        assert_eq!(read(&whole).unwrap().unwrap(), "one\n");
        for cut in PADDING.end..whole.len() {
            let error = read(&whole[..cut]).unwrap_err();
            assert!(error.to_string().contains("are not there any more"), "{cut}: {error}");
            assert!(with_keys(&whole[..cut], "two\n").is_err(), "{cut}");
        }
        assert!(read(&[&whole[..], b"\n"].concat()).is_err(), "a byte more");
        assert_eq!(read(&program).unwrap(), None, "it never had keys");
        let second = with_keys(&whole, "two\n").unwrap();
        assert_eq!(read(&second).unwrap().unwrap(), "two\n");
    }
}
