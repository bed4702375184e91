//! The outside of an RPM: its lead and its two headers, checked for sense
//! before any library reads them. Layout: rpm's `docs/manual/format_lead.md`
//! and `format_header.md`; the limits are those of rpm's `lib/header.cc`.

use std::io::{self, Read};

const LEAD: usize = 96;
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
/// Signatures are in a header of their own (`RPMSIGTYPE_HEADERSIG`).
const HEADER_SIGNATURE: [u8; 2] = [0, 5];
const HEADER_MAGIC: [u8; 4] = [0x8e, 0xad, 0xe8, 0x01];
/// The most entries of a header (`headerMaxTags`).
const MAX_ENTRIES: usize = 0xffff;
/// The most bytes of a header's data (`headerMaxData`).
const MAX_DATA: usize = 0x0fff_ffff;
const ENTRY: usize = 16;

/// The first bytes of an RPM up to its payload, known to be well formed.
#[derive(Debug)]
pub struct Outside {
    bytes: Vec<u8>,
    header: usize,
}

/// Bytes that are no RPM.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// They cannot be read.
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    /// They make no sense.
    #[error("it is no well-formed RPM: {0}")]
    Malformed(&'static str),
}

impl Outside {
    /// Reads the lead and both headers.
    pub fn read(reader: &mut impl Read) -> Result<Self, HeaderError> {
        let mut bytes = Vec::new();
        take(reader, LEAD, &mut bytes)?;
        if !bytes.starts_with(&LEAD_MAGIC) {
            return Err(HeaderError::Malformed("it does not begin as one"));
        }
        // The rest of the lead, rpm reads no more of it.
        if !matches!(bytes.get(4), Some(3 | 4)) || bytes.get(78..80) != Some(&HEADER_SIGNATURE) {
            return Err(HeaderError::Malformed("it is of a version that rpm does not read"));
        }
        read_header(reader, &mut bytes)?;
        // The signature header is padded to eight bytes.
        let padding = (8 - bytes.len() % 8) % 8;
        take(reader, padding, &mut bytes)?;
        let header = bytes.len();
        read_header(reader, &mut bytes)?;
        Ok(Self { bytes, header })
    }

    /// All of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The main header, which is what signatures are over.
    pub fn header(&self) -> &[u8] {
        self.bytes.get(self.header..).unwrap_or_default()
    }
}

fn take(reader: &mut impl Read, count: usize, bytes: &mut Vec<u8>) -> Result<(), HeaderError> {
    let wanted = bytes.len() + count;
    reader.by_ref().take(count as u64).read_to_end(bytes)?;
    if bytes.len() == wanted { Ok(()) } else { Err(HeaderError::Malformed("it ends early")) }
}

fn number(bytes: &[u8], offset: usize) -> Result<usize, HeaderError> {
    bytes
        .get(offset..offset + 4)
        .and_then(|four| four.try_into().ok())
        .map(|four| u32::from_be_bytes(four) as usize)
        .ok_or(HeaderError::Malformed("it ends early"))
}

fn read_header(reader: &mut impl Read, bytes: &mut Vec<u8>) -> Result<(), HeaderError> {
    let start = bytes.len();
    take(reader, 16, bytes)?;
    let intro = bytes.get(start..).unwrap_or_default();
    if !intro.starts_with(&HEADER_MAGIC) {
        return Err(HeaderError::Malformed("a header does not begin as one"));
    }
    let (entries, size) = (number(intro, 8)?, number(intro, 12)?);
    if entries == 0 || entries > MAX_ENTRIES || size > MAX_DATA {
        return Err(HeaderError::Malformed("a header is empty or too large"));
    }
    take(reader, entries * ENTRY, bytes)?;
    let data_start = bytes.len();
    take(reader, size, bytes)?;
    let data = bytes.get(data_start..).unwrap_or_default();
    for index in 0..entries {
        let entry = bytes.get(start + 16 + index * ENTRY..).unwrap_or_default();
        let (kind, offset, count) = (number(entry, 4)?, number(entry, 8)?, number(entry, 12)?);
        check_entry(data, kind, offset, count)?;
    }
    Ok(())
}

/// Whether the values of an entry lie inside of the data.
fn check_entry(data: &[u8], kind: usize, offset: usize, count: usize) -> Result<(), HeaderError> {
    let outside = HeaderError::Malformed("an entry of a header lies outside of its data");
    let rest = data
        .get(offset..)
        .ok_or(HeaderError::Malformed("an entry of a header lies outside of its data"))?;
    let width = match kind {
        0 => return Err(HeaderError::Malformed("an entry of a header has no type")),
        1 | 2 | 7 => 1,
        3 => 2,
        4 => 4,
        5 => 8,
        6 | 8 | 9 => {
            let ends = rest.iter().filter(|byte| **byte == 0).take(count).count();
            return if ends == count && count > 0 { Ok(()) } else { Err(outside) };
        }
        _ => return Err(HeaderError::Malformed("an entry of a header has an unknown type")),
    };
    match count.checked_mul(width) {
        Some(needed) if count > 0 && needed <= rest.len() && offset.is_multiple_of(width) => Ok(()),
        _ => Err(outside),
    }
}
