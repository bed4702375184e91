//! `Packages.db`, rpm's own form of a database, which SUSE uses (rpm's
//! `lib/backend/ndb/rpmpkg.c`).

use std::io;

use super::damage::{LEAST, damaged};

pub(super) const MAGIC: &[u8] = b"RpmP";
/// The size of a page of slots, and of a slot. The first two slots are the file's header.
const PAGE: usize = 4096;
const SLOT: usize = 16;
/// Offsets are counted in blocks. A blob's own header is one.
const BLOCK: usize = 16;

/// The headers of all packages.
pub(super) fn blobs(database: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let pages = number(database, 12).ok_or_else(|| damaged("first bytes"))?;
    let end = pages.checked_mul(PAGE).ok_or_else(|| damaged("first bytes"))?;
    let slots = database.get(2 * SLOT..end).ok_or_else(|| damaged("slots"))?;
    let mut blobs = Vec::new();
    // Slots of a hostile file may all lead to one large blob.
    let mut left = database.len();
    for slot in slots.chunks(SLOT) {
        if !slot.starts_with(b"Slot") {
            return Err(damaged("slots"));
        }
        let (index, at) = (number(slot, 4), number(slot, 8));
        let (Some(index), Some(at)) = (index, at) else { return Err(damaged("slots")) };
        if index == 0 {
            continue;
        }
        let blob = blob(database, index, at).ok_or_else(|| damaged("packages"))?;
        left = left.checked_sub(blob.len().max(LEAST)).ok_or_else(|| damaged("packages"))?;
        blobs.push(blob.to_vec());
    }
    Ok(blobs)
}

fn blob(database: &[u8], index: usize, at: usize) -> Option<&[u8]> {
    let own = database.get(at.checked_mul(BLOCK)?..)?;
    if !own.starts_with(b"BlbS") || number(own, 4)? != index {
        return None;
    }
    own.get(BLOCK..BLOCK.checked_add(number(own, 12)?)?)
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(four) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Vec<u8> {
        let words =
            |words: &[u32]| words.iter().flat_map(|one| one.to_le_bytes()).collect::<Vec<_>>();
        let mut bytes = [MAGIC, &words(&[0, 1, 1, 0, 0, 0, 0])].concat();
        bytes.extend([b"Slot".to_vec(), words(&[7, PAGE as u32 / 16, 2])].concat());
        while bytes.len() < PAGE {
            bytes.extend([b"Slot".to_vec(), words(&[0, 0, 0])].concat());
        }
        bytes.extend([b"BlbS".to_vec(), words(&[7, 0, 5]), b"hello".to_vec()].concat());
        bytes
    }

    #[test]
    fn slots_lead_to_blobs() {
        assert_eq!(blobs(&database()).unwrap(), [b"hello"]);
    }

    #[test]
    fn damage_is_an_error() {
        let whole = database();
        for end in 0..whole.len() {
            assert!(blobs(&whole[..end]).is_err(), "{end}");
        }
        for at in (0..64).chain(PAGE..whole.len() - 5) {
            let mut bad = whole.clone();
            bad[at] = 0xff;
            drop(blobs(&bad));
        }
        let mut twice = whole.clone();
        let slot = whole[32..48].to_vec();
        for number in 3..255 {
            twice[16 * number..16 * number + 16].copy_from_slice(&slot);
        }
        twice[PAGE + 12..PAGE + 16].copy_from_slice(&200_u32.to_le_bytes());
        twice.resize(PAGE + 16 + 200, 0);
        assert!(blobs(&twice).is_err());
    }
}
