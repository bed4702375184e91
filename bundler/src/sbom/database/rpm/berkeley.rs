//! `Packages` of rpm up to el8: a hash table of Berkeley DB (its `src/dbinc/db_page.h`, of
//! 5.3.28). Which key a package has does not matter, so all pages are walked in the file's
//! order.

use std::io;

use super::damage::{LEAST, damaged};

/// In the first page.
const MAGIC: u32 = 0x0006_1561;
/// The bytes before a page's content.
const PAGE_HEADER: usize = 26;
/// The kinds of pages that have items, and of those that continue one.
const HASH: [u8; 2] = [13, 2];
const OVERFLOW: u8 = 7;
/// The kind of an item whose value is on pages of its own. Whatever has more than a quarter
/// of a page is there, and so is every header of a package.
const ELSEWHERE: u8 = 3;

/// Whether it is such a table.
pub(super) fn is_one(database: &[u8]) -> bool {
    Table::of(database).is_some()
}

/// The headers of all packages.
pub(super) fn blobs(database: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let table = Table::of(database).ok_or_else(|| damaged("first bytes"))?;
    table.blobs().ok_or_else(|| damaged("pages"))
}

struct Table<'a> {
    bytes: &'a [u8],
    page: usize,
    /// Whether the machine that wrote it has the highest byte first.
    is_big: bool,
}

impl<'a> Table<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut table = Self { bytes, page: 0, is_big: false };
        if table.number(bytes, 12)? != MAGIC as usize {
            table.is_big = true;
            if table.number(bytes, 12)? != MAGIC as usize {
                return None;
            }
        }
        table.page = table.number(bytes, 20)?;
        (table.page.is_power_of_two() && (512..=65536).contains(&table.page)).then_some(table)
    }

    fn blobs(&self) -> Option<Vec<Vec<u8>>> {
        let mut blobs = Vec::new();
        // Items of a hostile file may all lead to one large value.
        let mut left = self.bytes.len();
        for page in self.bytes.chunks_exact(self.page) {
            if !HASH.contains(page.get(25)?) {
                continue;
            }
            // Keys and values take turns.
            for value in (1..self.short(page, 20)?).step_by(2) {
                let item = page.get(self.short(page, PAGE_HEADER + 2 * value)?..)?;
                if *item.first()? == ELSEWHERE {
                    let blob = self.value(self.number(item, 4)?, self.number(item, 8)?, left)?;
                    left = left.checked_sub(blob.len().max(LEAST))?;
                    blobs.push(blob);
                }
            }
        }
        Some(blobs)
    }

    /// The value of `length` bytes that begins on this page.
    fn value(&self, mut number: usize, length: usize, most: usize) -> Option<Vec<u8>> {
        if length > most {
            return None;
        }
        let mut value = Vec::new();
        while value.len() < length {
            let start = number.checked_mul(self.page)?;
            let page = self.bytes.get(start..start.checked_add(self.page)?)?;
            if *page.get(25)? != OVERFLOW {
                return None;
            }
            let count = (length - value.len()).min(self.page - PAGE_HEADER);
            value.extend(page.get(PAGE_HEADER..PAGE_HEADER + count)?);
            number = self.number(page, 16)?;
        }
        Some(value)
    }

    fn number(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        let number = if self.is_big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) };
        Some(number as usize)
    }

    fn short(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let two = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        let number = if self.is_big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) };
        Some(usize::from(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 512;

    /// A table of one value of 600 bytes, in either order of bytes.
    fn table(is_big: bool) -> Vec<u8> {
        let mut bytes = vec![0; 4 * PAGE];
        let mut put = |at: usize, number: usize, size: usize| {
            let four = (number as u32).to_be_bytes();
            let own = bytes.get_mut(at..at + size).unwrap();
            own.copy_from_slice(&four[4 - size..]);
            if !is_big {
                own.reverse();
            }
        };
        put(12, MAGIC as usize, 4);
        put(20, PAGE, 4);
        put(PAGE + 20, 2, 2);
        put(PAGE + 25, 13, 1);
        put(PAGE + PAGE_HEADER, 500, 2);
        put(PAGE + PAGE_HEADER + 2, 480, 2);
        put(PAGE + 480, usize::from(ELSEWHERE), 1);
        put(PAGE + 484, 2, 4);
        put(PAGE + 488, 600, 4);
        put(2 * PAGE + 16, 3, 4);
        put(2 * PAGE + 25, usize::from(OVERFLOW), 1);
        put(3 * PAGE + 25, usize::from(OVERFLOW), 1);
        bytes[2 * PAGE + PAGE_HEADER..3 * PAGE].fill(7);
        bytes[3 * PAGE + PAGE_HEADER..3 * PAGE + PAGE_HEADER + 114].fill(7);
        bytes
    }

    #[test]
    fn values_are_read_in_both_orders_of_bytes() {
        for is_big in [false, true] {
            assert_eq!(blobs(&table(is_big)).unwrap(), [vec![7; 600]], "{is_big}");
        }
    }

    #[test]
    fn damage_never_panics_and_never_goes_on_for_ever() {
        let whole = table(false);
        for end in 0..whole.len() {
            drop(blobs(&whole[..end]));
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 3, 0x7f, 0xff] {
                let mut bad = whole.clone();
                bad[at] = byte;
                drop(blobs(&bad));
            }
        }
        // A page that continues itself, for as long as the value is said to be.
        let mut circle = whole.clone();
        circle[2 * PAGE + 16] = 2;
        circle[PAGE + 488..PAGE + 492].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(blobs(&circle).is_err());
        assert!(!is_one(b"") && !is_one(&[0; 600]));
    }
}
