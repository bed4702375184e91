//! The beginning of an RPM: its lead and its two headers. They are checked before any
//! library reads them. The layout is in rpm's `docs/manual/format_lead.md` and
//! `format_header.md`. This refuses what rpm's `lib/header.cc` refuses.

use std::io::{self, Read};

use super::tag_type::{self, BINARY};

const LEAD: usize = 96;
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
/// In the lead: signatures are in a header of their own (`RPMSIGTYPE_HEADERSIG`).
const HEADER_SIGNATURE: [u8; 2] = [0, 5];
const HEADER_MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
/// The most entries of a header (`headerMaxTags`).
pub(crate) const MAX_ENTRIES: usize = 0xffff;
/// The most bytes of a header's data (`headerMaxData`).
pub(crate) const MAX_DATA: usize = 0x0fff_ffff;
/// The most values of an entry (`HEADER_ARRAY_MAX`).
const MAX_VALUES: usize = 0x000f_ffff;
/// Lower tags belong to regions (`HEADER_I18NTABLE`).
const FIRST_TAG: usize = 100;
/// Tags are numbers with a sign in rpm.
const LAST_TAG: usize = 0x7fff_ffff;
/// The bytes of an entry.
pub(crate) const ENTRY: usize = 16;
/// The tag of a region in old packages (`HEADER_IMAGE`).
const IMAGE: usize = 61;

/// One of the two headers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Signatures,
    Main,
}

impl Part {
    /// The tag of the first entry, which spans all others.
    fn region(self) -> usize {
        match self {
            Self::Signatures => 62,
            Self::Main => 63,
        }
    }

    fn max_entries(self) -> usize {
        match self {
            Self::Signatures => 32,
            Self::Main => MAX_ENTRIES,
        }
    }
}

/// The first bytes of an RPM, up to its payload. They are well formed.
#[derive(Debug)]
pub struct Outside {
    bytes: Vec<u8>,
    header: usize,
}

/// Bytes that are not an RPM.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// They cannot be read.
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    /// They have the wrong form.
    #[error("it is not a well-formed RPM: {0}")]
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
        // rpm does not read the rest of the lead either.
        if !matches!(bytes.get(4), Some(3 | 4)) || bytes.get(78..80) != Some(&HEADER_SIGNATURE) {
            return Err(HeaderError::Malformed("it is of a version that rpm does not read"));
        }
        read_header(reader, &mut bytes, Part::Signatures)?;
        // The signature header is padded to eight bytes.
        let padding = (8 - bytes.len() % 8) % 8;
        take(reader, padding, &mut bytes)?;
        let header = bytes.len();
        read_header(reader, &mut bytes, Part::Main)?;
        Ok(Self { bytes, header })
    }

    /// All bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The main header. Signatures are over it.
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

fn read_header(reader: &mut impl Read, bytes: &mut Vec<u8>, part: Part) -> Result<(), HeaderError> {
    let start = bytes.len();
    take(reader, 16, bytes)?;
    let intro = bytes.get(start..).unwrap_or_default();
    if !intro.starts_with(&HEADER_MAGIC) {
        return Err(HeaderError::Malformed("a header does not begin as one"));
    }
    let (count, size) = (number(intro, 8)?, number(intro, 12)?);
    if count == 0 || count > part.max_entries() || size > MAX_DATA {
        return Err(HeaderError::Malformed("a header is empty or too large"));
    }
    take(reader, count * ENTRY, bytes)?;
    let data_start = bytes.len();
    take(reader, size, bytes)?;
    let data = bytes.get(data_start..).unwrap_or_default();
    let entries = bytes.get(start + 16..data_start).unwrap_or_default().chunks(ENTRY);
    let mut entries = entries.map(Entry::read).collect::<Result<Vec<_>, _>>()?;
    let mut trailer = None;
    if entries.first().is_some_and(|first| first.tag == part.region()) {
        let region = entries.remove(0);
        trailer = Some(region.check_region(data, count, part)?);
    }
    let mut end = 0;
    for entry in entries {
        let begin = entry.offset;
        let fits = match part {
            Part::Signatures => tag_type::fits_signatures(entry.tag, entry.kind, entry.count),
            // rpm asks only headers that have a region.
            Part::Main => {
                trailer.is_none() || { tag_type::fits_main(entry.tag, entry.kind, entry.count) }
            }
        };
        if !fits {
            return Err(HeaderError::Malformed(
                "an entry of a header has another type or number of values than rpm asks for",
            ));
        }
        if begin < end {
            return Err(HeaderError::Malformed("entries of a header overlap"));
        }
        end = begin + entry.check(data)?;
        if trailer.is_some_and(|trailer| end > trailer && begin < trailer + ENTRY) {
            return Err(HeaderError::Malformed("an entry of a header overlaps its region's end"));
        }
    }
    Ok(())
}

/// An entry of a header's index. It has one value or several.
struct Entry {
    tag: usize,
    kind: usize,
    offset: usize,
    count: usize,
}

impl Entry {
    fn read(bytes: &[u8]) -> Result<Self, HeaderError> {
        Ok(Self {
            tag: number(bytes, 0)?,
            kind: number(bytes, 4)?,
            offset: number(bytes, 8)?,
            count: number(bytes, 12)?,
        })
    }

    /// Checks the entry that spans a header of `entries` entries. Gives the
    /// offset of its trailer in the data. In the main header it must span
    /// everything, so that no byte is unsigned.
    fn check_region(&self, data: &[u8], entries: usize, part: Part) -> Result<usize, HeaderError> {
        let malformed = HeaderError::Malformed("the region of a header does not fit it");
        let trailer = self.offset.checked_add(ENTRY).and_then(|end| data.get(self.offset..end));
        let Some(trailer) = trailer else { return Err(malformed) };
        let trailer = Self::read(trailer)?;
        let tag = match part {
            Part::Signatures if trailer.tag == IMAGE => part.region(),
            _ => trailer.tag,
        };
        // The distance back to the first entry, as a negative number.
        let length = (trailer.offset as u32).wrapping_neg() as usize;
        let is_region = |entry: &Self| entry.kind == BINARY && entry.count == ENTRY;
        let spans = length / ENTRY;
        let fits = match part {
            Part::Signatures => spans <= entries,
            Part::Main => spans == entries && self.offset + ENTRY == data.len(),
        };
        let is_sane = is_region(self) && is_region(&trailer) && tag == part.region();
        if is_sane && fits && length.is_multiple_of(ENTRY) {
            Ok(self.offset)
        } else {
            Err(malformed)
        }
    }

    /// Checks that the values are within the data, and gives their length.
    fn check(&self, data: &[u8]) -> Result<usize, HeaderError> {
        let outside = HeaderError::Malformed("an entry of a header is outside of its data");
        let Some(rest) = data.get(self.offset..) else { return Err(outside) };
        let count = self.count;
        let is_tag = (FIRST_TAG..=LAST_TAG).contains(&self.tag);
        if !is_tag || count == 0 || (self.kind != BINARY && count > MAX_VALUES) {
            return Err(HeaderError::Malformed("an entry of a header makes no sense"));
        }
        let width = match self.kind {
            1 | 2 | BINARY => 1,
            3 => 2,
            4 => 4,
            5 => 8,
            6 if count != 1 => {
                return Err(HeaderError::Malformed("a text of a header has several values"));
            }
            6 | 8 | 9 => {
                let ends = rest.iter().enumerate().filter(|(_, byte)| **byte == 0);
                return ends.map(|(at, _)| at + 1).nth(count - 1).ok_or(outside);
            }
            _ => return Err(HeaderError::Malformed("an entry of a header has an unknown type")),
        };
        match count.checked_mul(width) {
            Some(length) if length <= rest.len() && self.offset.is_multiple_of(width) => Ok(length),
            _ => Err(outside),
        }
    }
}
