//! Making damaged chunks again.

use reed_solomon_simd::ReedSolomonDecoder;

use super::chunk::CHUNK;
use super::parity::Parity;

/// How many neighbouring groups are repaired together, so that a hole is repaired by reading
/// the bundle in pieces of 32 KiB. This takes 32 MiB of memory.
pub const RUN: u64 = 8;

/// The chunks of some neighbouring groups, row by row.
#[derive(Debug)]
pub struct Run<'a> {
    parity: &'a Parity,
    first: u64,
    width: usize,
    bytes: Vec<u8>,
    bad: Vec<bool>,
}

/// What came of the damaged chunks of some groups.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The chunks that were made again, with their bytes.
    pub repaired: Vec<(u64, Vec<u8>)>,
    /// The chunks of groups with too many damaged ones.
    pub lost: Vec<u64>,
}

impl<'a> Run<'a> {
    /// Reads the groups around that of `chunk`. `read` fills a buffer with the chunks from one
    /// on, and says of each whether it is bad.
    pub fn around(
        parity: &'a Parity,
        chunk: u64,
        read: impl Fn(u64, &mut [u8]) -> Vec<bool>,
    ) -> Self {
        let plan = parity.plan();
        let first = plan.group(chunk) / RUN * RUN;
        let width = RUN.min(plan.groups() - first) as usize;
        let rows = usize::try_from(plan.rows()).unwrap_or(0);
        let mut bytes = vec![0; rows * width * CHUNK];
        let mut bad = Vec::with_capacity(rows * width);
        for (row, bytes) in (0..).zip(bytes.chunks_mut(width * CHUNK)) {
            let from = plan.chunk(first, row);
            let there = usize::try_from(plan.chunks().saturating_sub(from)).unwrap_or(usize::MAX);
            let end = there.min(width);
            bad.extend(read(from, bytes.get_mut(..end * CHUNK).unwrap_or_default()));
            // Where the bundle has no chunk, zeros count.
            bad.resize((row as usize + 1) * width, false);
        }
        Self { parity, first, width, bytes, bad }
    }

    /// Whether more than half of the chunks are bad. No stick is like that: the parity file
    /// is of another bundle.
    pub fn is_hopeless(&self) -> bool {
        self.bad.iter().filter(|bad| **bad).count() * 2 > self.bad.len()
    }

    /// Makes the bad chunks again.
    pub fn repair(&self) -> Outcome {
        let mut outcome = Outcome::default();
        for column in 0..self.width {
            let bad: Vec<u64> =
                self.column(column).filter(|(_, bad, _)| *bad).map(|it| it.0).collect();
            if bad.is_empty() {
                continue;
            }
            match self.group(column, bad.len()) {
                Some(made) => outcome.repaired.extend(made),
                None => outcome.lost.extend(bad),
            }
        }
        outcome
    }

    /// The chunks of one group: their numbers, whether they are bad, and their bytes.
    fn column(&self, column: usize) -> impl Iterator<Item = (u64, bool, &[u8])> {
        let plan = self.parity.plan();
        let chunks = self.bytes.chunks(CHUNK).zip(&self.bad).skip(column).step_by(self.width);
        (0..).zip(chunks).map(move |(row, (bytes, bad))| {
            (plan.chunk(self.first + column as u64, row), *bad, bytes)
        })
    }

    /// The bad chunks of a group, `count` of them. `None` if they are too many, or if what
    /// was made is not right either.
    fn group(&self, column: usize, count: usize) -> Option<Vec<(u64, Vec<u8>)>> {
        let plan = self.parity.plan();
        let group = self.first + column as u64;
        let rows = usize::try_from(plan.rows()).ok()?;
        let most = usize::from(plan.recovery());
        if count > most {
            return None;
        }
        let mut decoder = ReedSolomonDecoder::new(rows, most, CHUNK).ok()?;
        let recovery = (0..plan.recovery())
            .filter_map(|number| Some((number, self.parity.recovery(group, number)?)));
        let mut found = 0;
        for (number, bytes) in recovery.take(count) {
            decoder.add_recovery_shard(usize::from(number), bytes).ok()?;
            found += 1;
        }
        if found < count {
            return None;
        }
        for (row, (_, _, bytes)) in self.column(column).enumerate().filter(|(_, it)| !it.1) {
            decoder.add_original_shard(row, bytes).ok()?;
        }
        let made = decoder.decode().ok()?;
        let made = made.restored_original_iter().map(|(row, bytes)| {
            let chunk = plan.chunk(group, row as u64);
            // A checksum that is lost cannot contradict.
            (self.parity.is_good(chunk, bytes) != Some(false)).then(|| (chunk, bytes.to_vec()))
        });
        made.collect()
    }
}
