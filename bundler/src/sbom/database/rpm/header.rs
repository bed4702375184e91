//! A package's header as a database has it: without the magic that it has in a file, else
//! the same (rpm's `docs/manual/format_header.md`).

use std::io;

use super::damage::damaged;
use crate::rpm::header::{ENTRY, MAX_DATA, MAX_ENTRIES};
use crate::sbom::database::package::Package;

const NAME: usize = 1000;
const VERSION: usize = 1001;
const RELEASE: usize = 1002;
const EPOCH: usize = 1003;
const VENDOR: usize = 1011;
const LICENCE: usize = 1014;
const ARCHITECTURE: usize = 1022;
const SOURCE: usize = 1044;

/// The package of a header. `None` for a public key, which rpm keeps as one too.
pub(super) fn package(header: &[u8]) -> io::Result<Option<Package>> {
    let header = Header::of(header)?;
    let some = |tag| header.text(tag).filter(|text| !text.is_empty() && text != "(none)");
    let (Some(name), Some(version)) = (some(NAME), some(VERSION)) else {
        return Err(damaged("headers"));
    };
    if name == "gpg-pubkey" {
        return Ok(None);
    }
    let release = some(RELEASE).map(|release| format!("-{release}")).unwrap_or_default();
    let epoch = header.number(EPOCH).filter(|epoch| *epoch > 0);
    let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
    Ok(Some(Package {
        name,
        version: format!("{epoch}{version}{release}"),
        architecture: some(ARCHITECTURE),
        licence: some(LICENCE),
        vendor: some(VENDOR),
        source: some(SOURCE),
    }))
}

struct Header<'a> {
    entries: &'a [u8],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    fn of(bytes: &'a [u8]) -> io::Result<Self> {
        let parts = || {
            let (count, size) = (number(bytes, 0)?, number(bytes, 4)?);
            if count > MAX_ENTRIES || size > MAX_DATA {
                return None;
            }
            let end = 8 + count * ENTRY;
            Some(Self { entries: bytes.get(8..end)?, data: bytes.get(end..end + size)? })
        };
        parts().ok_or_else(|| damaged("headers"))
    }

    /// Where the value of a tag begins.
    fn value(&self, tag: usize) -> Option<&'a [u8]> {
        let mut entries = self.entries.chunks(ENTRY);
        let entry = entries.find(|entry| number(entry, 0) == Some(tag))?;
        self.data.get(number(entry, 8)?..)
    }

    /// A text, or the first of several.
    fn text(&self, tag: usize) -> Option<String> {
        let value = self.value(tag)?;
        let end = value.iter().position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(value.get(..end)?).trim().to_owned())
    }

    fn number(&self, tag: usize) -> Option<usize> {
        number(self.value(tag)?, 0)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four) as usize)
}

#[cfg(test)]
pub(super) fn header(fields: &[(usize, &[u8])]) -> Vec<u8> {
    let (mut entries, mut data) = (Vec::new(), Vec::new());
    for (tag, value) in fields {
        for number in [*tag, 6, data.len(), 1] {
            entries.extend((number as u32).to_be_bytes());
        }
        data.extend(*value);
    }
    let count = (fields.len() as u32).to_be_bytes();
    [&count[..], &(data.len() as u32).to_be_bytes(), &entries, &data].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_package_and_damage_an_error() {
        let whole = header(&[
            (NAME, b"bash\0"),
            (VERSION, b"5.1\0"),
            (RELEASE, b"9.el9\0"),
            (EPOCH, &[0, 0, 0, 2]),
            (LICENCE, b"GPLv3+\0"),
        ]);
        let found = package(&whole).unwrap().unwrap();
        assert_eq!((found.name.as_str(), found.version.as_str()), ("bash", "2:5.1-9.el9"));
        for end in 0..whole.len() {
            assert!(package(&whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            let mut bad = whole.clone();
            bad[at] = 0xff;
            drop(package(&bad));
        }
        assert_eq!(package(&header(&[(NAME, b"gpg-pubkey\0"), (VERSION, b"1\0")])).unwrap(), None);
    }
}
