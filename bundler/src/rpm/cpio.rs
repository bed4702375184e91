//! The archive in a package's payload: cpio in its "new ASCII" form (cpio(5) of
//! libarchive; rpm's `lib/cpio.c`).

use std::io::{self, Read};

const MAGICS: [&[u8]; 2] = [b"070701", b"070702"];
/// The size of an entry's header: the magic, and 13 numbers of eight hex digits.
const HEADER: usize = 110;
/// The last entry.
const TRAILER: &[u8] = b"TRAILER!!!\0";
/// The longest name of a file, with its zero byte (`PATH_MAX`).
const MAX_NAME: u64 = 4096;

/// The content of the file called `wanted`, which has `size` bytes. `None` if the
/// archive does not have it, or has another size for it.
pub(super) fn content(
    archive: &mut impl Read,
    wanted: &str,
    size: u64,
) -> io::Result<Option<Vec<u8>>> {
    loop {
        let mut header = [0; HEADER];
        archive.read_exact(&mut header)?;
        if !MAGICS.iter().any(|magic| header.starts_with(magic)) {
            return Err(io::Error::other("its payload is not a cpio archive"));
        }
        let (length, name_length) = (number(&header, 54)?, number(&header, 94)?);
        if name_length > MAX_NAME {
            return Err(io::Error::other("a file in its payload has a name that is too long"));
        }
        // Names and contents are padded to four bytes, counted from the header.
        let padding = (4 - (HEADER as u64 + name_length) % 4) % 4;
        let mut name = Vec::new();
        archive.by_ref().take(name_length).read_to_end(&mut name)?;
        skip(archive, padding)?;
        if name == TRAILER {
            return Ok(None);
        }
        let shown = name.strip_suffix(b"\0").unwrap_or(&name);
        let path = shown.strip_prefix(b".").unwrap_or(shown);
        if path == wanted.as_bytes() {
            let mut content = Vec::new();
            archive.by_ref().take(length.min(size)).read_to_end(&mut content)?;
            return Ok((length == size && content.len() as u64 == size).then_some(content));
        }
        skip(archive, length.next_multiple_of(4))?;
    }
}

fn number(header: &[u8], at: usize) -> io::Result<u64> {
    let digits = header.get(at..at + 8).and_then(|digits| std::str::from_utf8(digits).ok());
    let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number
        .ok_or_else(|| io::Error::other("a header in its payload has no number where one must be"))
}

fn skip(archive: &mut impl Read, count: u64) -> io::Result<()> {
    match io::copy(&mut archive.by_ref().take(count), &mut io::sink())? {
        skipped if skipped == count => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, content: &[u8]) -> Vec<u8> {
        let mut numbers = [0; 13];
        (numbers[6], numbers[11]) = (content.len(), name.len() + 1);
        let digits: String = numbers.iter().map(|number| format!("{number:08x}")).collect();
        let mut bytes = format!("070701{digits}{name}\0").into_bytes();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn one_file_is_found_by_its_name_and_size() {
        let mut archive = entry("./usr", b"");
        archive.extend(entry("./usr/bin/a", b"odd"));
        archive.extend(entry("./usr/bin/b", b"binary"));
        archive.extend(entry("TRAILER!!!", b""));
        let find = |name, size| content(&mut archive.as_slice(), name, size).unwrap();
        assert_eq!(find("/usr/bin/b", 6).as_deref(), Some(&b"binary"[..]));
        assert_eq!(find("/usr/bin/a", 3).as_deref(), Some(&b"odd"[..]));
        for (name, size) in [("/usr/bin/b", 5), ("/usr/bin/b", 7), ("/usr/bin/c", 6)] {
            assert_eq!(find(name, size), None, "{name} {size}");
        }
    }

    #[test]
    fn damaged_archives_are_errors() {
        let whole = entry("./usr/bin/a", b"content");
        for end in 0..whole.len() {
            let cut = content(&mut &whole[..end], "/usr/bin/b", 7);
            assert!(cut.is_err(), "{end}");
        }
        for (at, byte) in [(0, b'1'), (54, b'x'), (94, b'f'), (96, b'-')] {
            let mut bad = whole.clone();
            bad[at] = byte;
            assert!(content(&mut bad.as_slice(), "/usr/bin/b", 7).is_err(), "{at}");
        }
    }
}
