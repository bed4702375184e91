//! Making a parity file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use reed_solomon_simd::ReedSolomonEncoder;

use super::chunk::{CHUNK, offset, sum};
use super::plan::PER_RECORD;
use super::table::{self, Head};

/// How many neighbouring groups are made together, so that the bundle is read in pieces of
/// 64 KiB. This takes 64 MiB of memory.
const RUN: u64 = 16;

/// Writes the parity file that `head` describes to `out`, which is empty. `read` gives bytes
/// of the bundle from an offset on. `progress` is called with numbers of the bundle's bytes.
pub fn write(
    out: &File,
    head: &Head,
    read: impl Fn(&mut [u8], u64) -> io::Result<()>,
    progress: impl Fn(u64),
) -> io::Result<()> {
    let plan = &head.plan;
    let mut sums = vec![0; usize::try_from(plan.sums()).map_err(io::Error::other)?];
    let mut note = |number: u64, chunk: &[u8]| {
        let place = usize::try_from(number).ok().and_then(|number| sums.get_mut(number));
        if let Some(place) = place {
            *place = sum(chunk);
        }
    };
    for first in (0..plan.groups()).step_by(RUN as usize) {
        let width = RUN.min(plan.groups() - first) as usize;
        let mut encoder = encoder(head, width)?;
        let mut bytes = vec![0; width * CHUNK];
        for row in 0..plan.rows() {
            let chunk = plan.chunk(first, row);
            let at = offset(chunk);
            let left = plan.length().saturating_sub(at);
            let end = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            bytes.fill(0);
            read(bytes.get_mut(..end).unwrap_or_default(), at)?;
            for (number, bytes) in (chunk..plan.chunks()).zip(bytes.chunks(CHUNK)) {
                note(number, bytes);
            }
            if let Some(encoder) = &mut encoder {
                encoder.add_original_shard(&bytes).map_err(io::Error::other)?;
            }
            progress(end as u64);
        }
        let Some(mut encoder) = encoder else { continue };
        let made = encoder.encode().map_err(io::Error::other)?;
        for (number, shard) in (0..).zip(made.recovery_iter()) {
            out.write_all_at(shard, plan.recovery_at(first, number))?;
            for (group, bytes) in (first..).zip(shard.chunks(CHUNK)) {
                note(plan.recovery_sum(group, number), bytes);
            }
        }
    }
    for (number, sums) in (0..).zip(sums.chunks(PER_RECORD)) {
        let record = table::record(head, number, sums);
        for at in plan.record_at(u64::from(number)) {
            out.write_all_at(&record, at)?;
        }
    }
    Ok(())
}

/// The encoder of `width` groups; none if there are no recovery chunks. The code works on
/// blocks of 64 bytes, each alone. So groups side by side are as good as a group of its own.
fn encoder(head: &Head, width: usize) -> io::Result<Option<ReedSolomonEncoder>> {
    let rows = usize::try_from(head.plan.rows()).map_err(io::Error::other)?;
    match usize::from(head.plan.recovery()) {
        0 => Ok(None),
        recovery => {
            let encoder = ReedSolomonEncoder::new(rows, recovery, width * CHUNK);
            encoder.map(Some).map_err(io::Error::other)
        }
    }
}
