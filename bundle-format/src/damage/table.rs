//! The table of checksums in a parity file. Each record of it can be read alone, because a
//! parity file may have bad sectors, too.

use super::chunk::{CHUNK, sum};
use super::plan::Plan;
use crate::digest::Digest;

/// What a record begins with; the last digit is the version of the format.
const MAGIC: &[u8; 8] = b"KFPARIT1";

/// Whether a record begins so.
pub(super) fn begins(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// What each record says of the parity file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The digest of the bundle's `index.json`: which bundle it is.
    pub bundle: Digest,
    /// How that bundle's chunks are grouped.
    pub plan: Plan,
}

/// A record: magic, number of recovery chunks in a group, two zeros, number of the record,
/// length of the bundle, digest of its index in hex digits, checksums, and the checksum of
/// all this. Numbers are little-endian.
pub(super) fn record(head: &Head, number: u32, sums: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(CHUNK);
    bytes.extend(MAGIC);
    bytes.extend(head.plan.recovery().to_le_bytes());
    bytes.extend([0; 2]);
    bytes.extend(number.to_le_bytes());
    bytes.extend(head.plan.length().to_le_bytes());
    bytes.extend(head.bundle.hex().bytes());
    bytes.extend(sums.iter().flat_map(|sum| sum.to_le_bytes()));
    bytes.resize(CHUNK - 4, 0);
    bytes.extend(sum(&bytes).to_le_bytes());
    bytes
}

/// The head of a record, its number and its checksums. `None` if it is damaged, or if it is
/// something else.
pub(super) fn parse(record: &[u8]) -> Option<(Head, u32, impl Iterator<Item = u32>)> {
    let (body, own) = record.split_last_chunk::<4>()?;
    if record.len() != CHUNK || sum(body) != u32::from_le_bytes(*own) {
        return None;
    }
    let (magic, rest) = body.split_first_chunk::<8>()?;
    let (recovery, rest) = rest.split_first_chunk::<2>()?;
    let (_, rest) = rest.split_first_chunk::<2>()?;
    let (number, rest) = rest.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let (bundle, sums) = rest.split_first_chunk::<64>()?;
    if magic != MAGIC {
        return None;
    }
    let plan = Plan::of(u64::from_le_bytes(*length), u16::from_le_bytes(*recovery))?;
    let bundle = Digest::from_hex(std::str::from_utf8(bundle).ok()?).ok()?;
    let (sums, _) = sums.as_chunks::<4>();
    let sums = sums.iter().map(|sum| u32::from_le_bytes(*sum));
    Some((Head { bundle, plan }, u32::from_le_bytes(*number), sums))
}

#[cfg(test)]
mod tests {
    use super::super::plan::PER_RECORD;
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let plan = Plan::new(5 << 20, "2%".parse().unwrap()).unwrap();
        let head = Head { bundle: Digest::of(b"index"), plan };
        let sums: Vec<u32> = (0..).take(PER_RECORD).collect();
        let good = record(&head, 7, &sums);
        let (found, number, read) = parse(&good).unwrap();
        assert_eq!((found, number), (head, 7));
        assert_eq!(read.collect::<Vec<_>>(), sums);
        for place in (0..CHUNK).step_by(13) {
            let mut bad = good.clone();
            bad[place] ^= 4;
            assert!(parse(&bad).is_none(), "{place}");
        }
        assert!(parse(&good[1..]).is_none() && parse(&[]).is_none());
    }
}
