//! Chunks: the unit of damage and repair.

use std::ops::Range;

/// The size of a chunk in bytes. A kernel gives or refuses whole pages, which have this size
/// on most machines, and a sector of a stick is not larger.
pub const CHUNK: usize = 4096;

/// The number of chunks of `length` bytes. The last one may be shorter than the others; it
/// counts with zeros up to its end.
pub fn chunks(length: u64) -> u64 {
    length.div_ceil(CHUNK as u64)
}

/// The offset of a chunk in bytes.
pub fn offset(chunk: u64) -> u64 {
    chunk.saturating_mul(CHUNK as u64)
}

/// The checksum of a chunk: CRC-32 (IEEE 802.3). It finds accidents. Only the bundle's
/// digests find what somebody did on purpose.
pub(super) fn sum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// Numbers of chunks, in one bit each: a stranger's file cannot make it large.
#[derive(Debug, Default)]
pub struct ChunkSet(Vec<u64>);

impl ChunkSet {
    /// Adds a chunk.
    pub fn add(&mut self, chunk: u64) {
        let Ok(word) = usize::try_from(chunk / 64) else { return };
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (chunk % 64);
        }
    }

    /// Whether it has the chunk.
    pub fn has(&self, chunk: u64) -> bool {
        let word = usize::try_from(chunk / 64).ok().and_then(|word| self.0.get(word));
        word.is_some_and(|bits| bits & (1 << (chunk % 64)) != 0)
    }

    /// How many chunks it has.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|bits| u64::from(bits.count_ones())).sum()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }

    /// The chunks in order, neighbours as one range.
    pub fn ranges(&self) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        let words = (0..).zip(&self.0).filter(|(_, bits)| **bits != 0);
        let all = words.flat_map(|(word, _)| word * 64..word * 64 + 64);
        for chunk in all.filter(|chunk| self.has(*chunk)) {
            match ranges.last_mut() {
                Some(last) if last.end == chunk => last.end += 1,
                _ => ranges.push(chunk..chunk + 1),
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_range() {
        let mut set = ChunkSet::default();
        assert!(set.is_empty() && set.ranges().is_empty());
        for chunk in [63, 64, 65, 7, 200, 7] {
            set.add(chunk);
        }
        assert_eq!(set.ranges(), [7..8, 63..66, 200..201]);
        assert_eq!(set.len(), 5);
        assert!(set.has(200) && !set.has(8) && !set.has(u64::MAX));
    }

    #[test]
    fn a_shorter_last_chunk_counts() {
        assert_eq!([0, 1, 4096, 4097].map(chunks), [0, 1, 1, 2]);
    }
}
