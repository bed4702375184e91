//! The blobs of one table of an SQLite database, read from memory (sqlite.org,
//! `fileformat2.html`). What was not yet moved from a write-ahead log into the file is not
//! seen; an image is made after rpm has ended, and it is moved then.

use std::io;

use super::damage::{LEAST, damaged};

pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";
/// The header before the first page's content.
const FILE_HEADER: usize = 100;
/// The kinds of pages of a table.
const INNER: u8 = 5;
const LEAF: u8 = 13;
/// The deepest tree that is read. One of 2^40 rows has 12 levels.
const MAX_DEPTH: usize = 32;
/// How many values a row may have. rpm's have two, those of the schema five.
const MAX_COLUMNS: usize = 64;

/// The last column of each row of `table`, if it is a blob.
pub(super) fn blobs(bytes: &[u8], table: &str) -> io::Result<Vec<Vec<u8>>> {
    let database = Database::of(bytes)?;
    let mut root = None;
    // The schema is the table on the first page: type, name, table, root, SQL.
    for row in database.rows(1)? {
        if let [Value::Text(kind), Value::Text(name), _, Value::Number(page), ..] =
            columns(&row)?.as_slice()
            && *kind == b"table"
            && *name == table.as_bytes()
        {
            root = Some(*page);
        }
    }
    let root = root.ok_or_else(|| io::Error::other(format!("it has no table `{table}`")))?;
    let mut blobs = Vec::new();
    for row in database.rows(root)? {
        if let Some(Value::Blob(blob)) = columns(&row)?.last() {
            blobs.push(blob.to_vec());
        }
    }
    Ok(blobs)
}

struct Database<'a> {
    bytes: &'a [u8],
    page: usize,
    /// The bytes of a page that have content.
    usable: usize,
}

/// The rows of a tree, and how much may still be read: a hostile file's pages may lead to
/// each other in circles.
struct Walk {
    rows: Vec<Vec<u8>>,
    pages: usize,
    bytes: usize,
}

impl<'a> Database<'a> {
    fn of(bytes: &'a [u8]) -> io::Result<Self> {
        let size = number(bytes, 16, 2).ok_or_else(|| damaged("first bytes"))?;
        let page = if size == 1 { 65536 } else { size };
        let reserved = usize::from(bytes.get(20).copied().unwrap_or_default());
        if !page.is_power_of_two() || !(512..=65536).contains(&page) || reserved > page - 480 {
            return Err(damaged("first bytes"));
        }
        Ok(Self { bytes, page, usable: page - reserved })
    }

    /// All rows of the table whose tree begins on this page.
    fn rows(&self, root: usize) -> io::Result<Vec<Vec<u8>>> {
        let pages = self.bytes.len() / self.page + 1;
        let mut walk = Walk { rows: Vec::new(), pages, bytes: self.bytes.len() };
        self.walk(root, 0, &mut walk).ok_or_else(|| damaged("pages"))?;
        Ok(walk.rows)
    }

    fn page(&self, number: usize) -> Option<&'a [u8]> {
        let start = number.checked_sub(1)?.checked_mul(self.page)?;
        self.bytes.get(start..start.checked_add(self.page)?)
    }

    fn walk(&self, number_of_page: usize, depth: usize, walk: &mut Walk) -> Option<()> {
        walk.pages = walk.pages.checked_sub(1)?;
        if depth > MAX_DEPTH {
            return None;
        }
        let page = self.page(number_of_page)?;
        let header = if number_of_page == 1 { FILE_HEADER } else { 0 };
        let kind = *page.get(header)?;
        let cells = number(page, header + 3, 2)?;
        let list = header + if kind == INNER { 12 } else { 8 };
        for cell in 0..cells {
            let cell = page.get(number(page, list + 2 * cell, 2)?..)?;
            match kind {
                INNER => self.walk(number(cell, 0, 4)?, depth + 1, walk)?,
                LEAF => {
                    let row = self.row(cell, walk)?;
                    walk.rows.push(row);
                }
                _ => return None,
            }
        }
        if kind == INNER {
            self.walk(number(page, header + 8, 4)?, depth + 1, walk)?;
        }
        (kind == INNER || kind == LEAF).then_some(())
    }

    /// The record of a cell, with what it has on overflow pages.
    fn row(&self, cell: &[u8], walk: &mut Walk) -> Option<Vec<u8>> {
        let (length, rest) = varint(cell)?;
        let (_, rest) = varint(rest)?;
        let length = usize::try_from(length).ok()?;
        walk.bytes = walk.bytes.checked_sub(length.max(LEAST))?;
        let most = self.usable - 35;
        if length <= most {
            return Some(rest.get(..length)?.to_vec());
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fits = least + (length - least) % (self.usable - 4);
        let local = if fits <= most { fits } else { least };
        let mut row = rest.get(..local)?.to_vec();
        let mut next = number(rest, local, 4)?;
        while row.len() < length {
            walk.pages = walk.pages.checked_sub(1)?;
            let page = self.page(next)?;
            let count = (length - row.len()).min(self.usable - 4);
            row.extend(page.get(4..4 + count)?);
            next = number(page, 0, 4)?;
        }
        Some(row)
    }
}

enum Value<'a> {
    Number(usize),
    Text(&'a [u8]),
    Blob(&'a [u8]),
    Other,
}

/// The values of a record.
fn columns(row: &[u8]) -> io::Result<Vec<Value<'_>>> {
    let read = || {
        let (length, _) = varint(row)?;
        let length = usize::try_from(length).ok()?;
        let (mut header, mut data) = (varint(row.get(..length)?)?.1, row.get(length..)?);
        let mut values = Vec::new();
        while !header.is_empty() {
            if values.len() == MAX_COLUMNS {
                return None;
            }
            let (kind, rest) = varint(header)?;
            header = rest;
            let kind = usize::try_from(kind).ok()?;
            let size = match kind {
                0 | 8..=11 => 0,
                1..=4 => kind,
                5 => 6,
                6 | 7 => 8,
                kind => (kind - 12) / 2,
            };
            let (value, rest) = data.split_at_checked(size)?;
            data = rest;
            values.push(match kind {
                1..=4 => Value::Number(number(value, 0, size)?),
                9 => Value::Number(1),
                0 | 5..=11 => Value::Other,
                kind if kind % 2 == 0 => Value::Blob(value),
                _ => Value::Text(value),
            });
        }
        Some(values)
    };
    read().ok_or_else(|| damaged("rows"))
}

/// A number of up to nine bytes, and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        if at == 8 {
            return Some((value << 8 | u64::from(*byte), bytes.get(9..)?));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

/// A number of `size` bytes, the highest first.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    let own = bytes.get(at..at.checked_add(size)?)?;
    Some(own.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 512;

    /// A cell with a record of these columns.
    fn cell(kinds: &[u8], data: &[u8]) -> Vec<u8> {
        let record = [&[kinds.len() as u8 + 1], kinds, data].concat();
        let length = record.len();
        [&[0x80 | (length >> 7) as u8, (length & 0x7f) as u8, 1], &record[..]].concat()
    }

    fn leaf(header: usize, cell: &[u8]) -> Vec<u8> {
        let mut page = vec![0; PAGE];
        let start = PAGE - cell.len();
        page[start..].copy_from_slice(cell);
        page[header] = LEAF;
        page[header + 4] = 1;
        page[header + 8..header + 10].copy_from_slice(&(start as u16).to_be_bytes());
        page
    }

    /// A table of one row whose blob has 600 bytes, 512 of them on pages of its own.
    fn database() -> Vec<u8> {
        let schema = cell(&[23, 29, 29, 1, 13], b"tablePackagesPackages\x02");
        let mut first = leaf(FILE_HEADER, &schema);
        first[..16].copy_from_slice(MAGIC);
        first[16..18].copy_from_slice(&(PAGE as u16).to_be_bytes());
        // 600 bytes are the type 1212, a varint of two bytes.
        let record = cell(&[0, 0x89, 0x3c], &[7; 600]);
        let local = 3 + (PAGE - 12) * 32 / 255 - 23 + (604 - 39) % (PAGE - 4);
        let second = leaf(0, &[&record[..local], &[0, 0, 0, 3]].concat());
        let mut third = vec![0; PAGE];
        third[4..4 + record.len() - local].copy_from_slice(&record[local..]);
        [first, second, third].concat()
    }

    #[test]
    fn the_blobs_of_a_table_are_read_with_what_overflows() {
        assert_eq!(blobs(&database(), "Packages").unwrap(), [vec![7; 600]]);
        assert!(blobs(&database(), "Names").is_err());
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic_or_an_endless_walk() {
        let whole = database();
        for end in 0..whole.len() {
            assert!(blobs(&whole[..end], "Packages").is_err(), "{end}");
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 2, 5, 0x7f, 0xff] {
                let mut bad = whole.clone();
                bad[at] = byte;
                drop(blobs(&bad, "Packages"));
            }
        }
        // An inner page that leads to itself.
        let mut circle = whole.clone();
        circle[PAGE] = INNER;
        circle[PAGE + 8..PAGE + 12].copy_from_slice(&[0, 0, 0, 2]);
        assert!(blobs(&circle, "Packages").is_err());
    }

    #[test]
    fn numbers_have_up_to_nine_bytes() {
        assert_eq!(varint(&[0x81, 1, 9]), Some((129, &[9][..])));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, &[][..])));
        assert_eq!(varint(&[0xff; 8]), None);
    }
}
