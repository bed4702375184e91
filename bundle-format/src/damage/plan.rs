//! How the chunks of a bundle are spread over groups, and where a parity file has what.

use std::fmt;
use std::str::FromStr;

use super::chunk::{CHUNK, chunks, offset};

/// The most chunks of a bundle in one group. A group is repaired in memory: it takes 4 MiB,
/// and what the decoder needs beside it 8 MiB.
const ROWS: u64 = 1024;

/// How many checksums a record of the table has: what a chunk holds beside what the record
/// says of itself.
pub(super) const PER_RECORD: usize = 1001;

/// The largest bundle that a parity file can be for: its checksums take 64 MiB of memory.
pub const MAX_PROTECTED: u64 = 64 << 30;

/// The groups of a bundle.
///
/// Chunk `n` is in group `n % groups`. So neighbours are in different groups, and a hole of
/// some megabytes takes few chunks of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    length: u64,
    recovery: u16,
}

/// How much may be repaired, in thousandths of the bundle. It is written `2%` or `0.5%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u16);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || format!("`{text}` is not a share: write 2%, 0.5%, or any up to 50%");
        let number = text.strip_suffix('%').ok_or_else(fail)?;
        let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str, most| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 2) || !digits(tenth, 1) {
            return Err(fail());
        }
        let parse = |text: &str| text.parse::<u16>().map_err(|_| fail());
        let share = parse(whole)? * 10 + parse(tenth)?;
        if share <= 500 { Ok(Self(share)) } else { Err(fail()) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}%", self.0 / 10, self.0 % 10)
    }
}

impl Plan {
    /// The plan for a bundle of `length` bytes, if it is not too large.
    pub fn new(length: u64, share: Share) -> Option<Self> {
        let plan = Self::of(length, 0)?;
        let recovery = (plan.rows() * u64::from(share.0)).div_ceil(1000);
        Self::of(length, u16::try_from(recovery).ok()?)
    }

    /// The plan that a parity file claims, if there is such a plan.
    pub(super) fn of(length: u64, recovery: u16) -> Option<Self> {
        let is_sound = (1..=MAX_PROTECTED).contains(&length) && u64::from(recovery) <= ROWS / 2;
        is_sound.then_some(Self { length, recovery })
    }

    /// The length of the bundle in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The number of chunks of the bundle.
    pub fn chunks(&self) -> u64 {
        chunks(self.length)
    }

    /// The number of groups.
    pub fn groups(&self) -> u64 {
        self.chunks().div_ceil(ROWS)
    }

    /// The number of the bundle's chunks in a group. In the last row, some groups have none;
    /// a chunk of zeros counts there.
    pub fn rows(&self) -> u64 {
        self.chunks().div_ceil(self.groups())
    }

    /// The number of recovery chunks of each group: so many of its chunks can be repaired.
    pub fn recovery(&self) -> u16 {
        self.recovery
    }

    /// The chunk in this row of a group.
    pub fn chunk(&self, group: u64, row: u64) -> u64 {
        row * self.groups() + group
    }

    /// The group of a chunk.
    pub fn group(&self, chunk: u64) -> u64 {
        chunk % self.groups()
    }

    /// The number of checksums in a parity file: of the bundle's chunks, and then of the
    /// recovery chunks.
    pub(super) fn sums(&self) -> u64 {
        self.chunks() + self.groups() * u64::from(self.recovery)
    }

    /// The number of records in the table of checksums.
    pub(super) fn records(&self) -> u64 {
        self.sums().div_ceil(PER_RECORD as u64)
    }

    /// The checksum that is of a recovery chunk.
    pub(super) fn recovery_sum(&self, group: u64, number: u16) -> u64 {
        self.chunks() + u64::from(number) * self.groups() + group
    }

    /// The offsets of a table's record in a parity file, where it is twice: before the
    /// recovery chunks and behind them.
    pub(super) fn record_at(&self, number: u64) -> [u64; 2] {
        let recovery = self.sums() - self.chunks();
        [offset(number), offset(self.records() + recovery + number)]
    }

    /// The offset of a recovery chunk. Like the bundle's, neighbours are of different groups.
    pub(super) fn recovery_at(&self, group: u64, number: u16) -> u64 {
        offset(self.records() + u64::from(number) * self.groups() + group)
    }

    /// The size of the parity file in bytes.
    pub fn file_size(&self) -> u64 {
        let [_, end] = self.record_at(self.records());
        end
    }

    /// The bytes that a chunk of the bundle really has.
    pub fn chunk_length(&self, chunk: u64) -> usize {
        let left = self.length.saturating_sub(offset(chunk)).min(CHUNK as u64);
        usize::try_from(left).unwrap_or(CHUNK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_chunk_is_in_one_group() {
        for length in [1, 4096, 4097, 1 << 20, (4 << 20) + 1, 30 << 30] {
            let plan = Plan::new(length, "2%".parse().unwrap()).unwrap();
            assert!(plan.rows() <= ROWS);
            assert!(plan.rows() * plan.groups() >= plan.chunks());
            assert!((plan.rows() - 1) * plan.groups() < plan.chunks());
            for chunk in [0, plan.chunks() / 2, plan.chunks() - 1] {
                let row = chunk / plan.groups();
                assert_eq!(plan.chunk(plan.group(chunk), row), chunk);
            }
            assert!(plan.recovery() > 0);
        }
        let share: Share = "0%".parse().unwrap();
        assert!(Plan::new(MAX_PROTECTED + 1, share).is_none());
        assert!(Plan::new(0, share).is_none());
        assert_eq!(Plan::new(1, share).unwrap().recovery(), 0);
    }

    #[test]
    fn two_percent_of_a_gigabyte() {
        let plan = Plan::new(1 << 30, "2%".parse().unwrap()).unwrap();
        assert_eq!((plan.groups(), plan.rows(), plan.recovery()), (256, 1024, 21));
        assert_eq!(plan.file_size(), 24_215_552);
    }

    #[test]
    fn shares() {
        for (text, share) in [("2%", 20), ("0.5%", 5), ("0%", 0), ("50%", 500), ("12.5%", 125)] {
            assert_eq!(text.parse(), Ok(Share(share)), "{text}");
        }
        for text in ["", "2", "%", "51%", "-1%", "2.55%", "1e1%", "+2%", "2.%", "0.02%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
