//! The speed of etcd's disk. etcd writes little at a time, and waits each time until
//! the data is on the disk. A cluster on a slow disk starts, and loses its leader
//! under load; so this is a warning.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, Mode, OFlags, fallocate, open, unlink};
use rustix::io::Errno;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::paths::ETCD;
use crate::preflight::earlier::has_begun;
use crate::role::Role;

/// The limit that etcd's documents give for the 99th percentile of fdatasync
/// (etcd.io, "Hardware recommendations", and "What does the etcd warning … mean":
/// wal_fsync below 10 ms).
const MOST: Duration = Duration::from_millis(10);
/// A write of etcd's usual size, and the number of writes: fio's `--bs=2300
/// --size=22m --fdatasync=1`, which etcd's documents recommend.
const WRITE: [u8; 2300] = [0xa5; 2300];
const WRITES: usize = 10_000;
/// If so many writes each take less than the limit, the disk counts as fast. A disk with 1 slow
/// write in 100 passes once in 23,000 times (0.99¹⁰⁰⁰), if slow writes do not come in bursts.
const ENOUGH: usize = 1_000;
/// The time limit of the measurement.
const PATIENCE: Duration = Duration::from_secs(3);

/// A measurement in progress.
pub(super) struct Measurement {
    folder: PathBuf,
    thread: JoinHandle<Result<Vec<Duration>, Errno>>,
}

/// Begins to measure; none if there is nothing to measure.
pub(super) fn begin(host: &Host, intent: &Intent) -> Option<Measurement> {
    // A folder below `--root` is on another disk; and a running etcd must not be
    // slowed down.
    if intent.role != Role::Master || has_begun(host) || !host.is_this_system() {
        return None;
    }
    let folder = Path::new(ETCD).ancestors().find(|folder| host.path(folder).is_dir())?;
    let real = host.path(folder);
    let thread = thread::spawn(move || latencies(&real, PATIENCE));
    Some(Measurement { folder: folder.to_owned(), thread })
}

impl Measurement {
    /// Waits for its end.
    pub(super) fn warning(self) -> Option<Failure> {
        match self.thread.join().unwrap_or(Err(Errno::IO)) {
            Ok(latencies) => warning(&latencies),
            // Another check reports a disk that is read-only.
            Err(Errno::ROFS) => None,
            Err(error) => Some(Failure::new(
                format!("could not measure etcd's disk in {}: {error}", self.folder.display()),
                "fix that, or measure it with `fio`, as etcd's documents describe",
            )),
        }
    }
}

fn warning(latencies: &[Duration]) -> Option<Failure> {
    let (count, slowest) = (latencies.len(), percentile(latencies)?);
    (slowest >= MOST).then(|| {
        Failure::new(
            format!(
                "etcd's disk is slow: 1 of 100 writes takes {:.1} ms or more, of {count} tried, and \
                 etcd wants less than 10 ms; under load the API server may not answer",
                slowest.as_secs_f64() * 1000.0
            ),
            format!("mount an SSD at {ETCD}, or keep other programs off this disk"),
        )
    })
}

/// The 99th percentile.
fn percentile(latencies: &[Duration]) -> Option<Duration> {
    let mut sorted = latencies.to_vec();
    sorted.sort();
    let rank = (sorted.len() * 99).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// How long each write took, in a file without a name. The kernel removes it even if
/// this program is killed.
fn latencies(folder: &Path, patience: Duration) -> Result<Vec<Duration>, Errno> {
    let mut file = nameless(folder)?;
    let size = (WRITE.len() * WRITES) as u64;
    // As fio does; some file systems cannot.
    match fallocate(&file, FallocateFlags::empty(), 0, size) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
        Err(error) => return Err(error),
    }
    let of = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    let (begun, mut all) = (Instant::now(), Vec::new());
    while all.len() < WRITES && begun.elapsed() < patience && !is_clear(&all) {
        file.write_all(&WRITE).map_err(of)?;
        let written = Instant::now();
        file.sync_data().map_err(of)?;
        all.push(written.elapsed());
    }
    Ok(all)
}

/// Whether the disk counts as fast already.
fn is_clear(all: &[Duration]) -> bool {
    all.len() == ENOUGH && all.iter().all(|one| *one < MOST)
}

fn nameless(folder: &Path) -> Result<File, Errno> {
    let (flags, mode) = (OFlags::WRONLY | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
    match open(folder, flags | OFlags::TMPFILE, mode) {
        // Some file systems, such as overlay on older kernels, have no unnamed
        // files.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
            let path = folder.join(format!(".kubeferry-{}", std::process::id()));
            let file = open(&path, flags | OFlags::CREATE | OFlags::EXCL, mode)?;
            unlink(&path)?;
            Ok(file.into())
        }
        opened => Ok(opened?.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_hundredth_does_not_count() {
        let of = |slow: usize| {
            let mut all = vec![Duration::from_millis(1); 1000 - slow];
            all.extend(vec![Duration::from_micros(25_040); slow]);
            warning(&all).map(|warning| warning.to_string())
        };
        assert_eq!(of(0), None);
        assert_eq!(of(10), None);
        let told = of(11).unwrap();
        assert!(told.contains("takes 25.0 ms or more, of 1000 tried"), "{told}");
        assert_eq!(warning(&[]).map(|one| one.to_string()), None);
        assert!(warning(&[MOST]).is_some());
    }

    #[test]
    fn a_disk_that_was_fast_a_thousand_times_is_fast() {
        let fast = vec![Duration::from_micros(9_999); ENOUGH];
        assert!(is_clear(&fast) && !is_clear(&fast[1..]));
        // One slow write says nothing yet: the measurement goes on to its usual end.
        let mut one_slow = fast;
        one_slow[3] = MOST;
        assert!(!is_clear(&one_slow));
    }

    #[test]
    fn a_disk_is_measured_without_a_trace_and_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let patience = Duration::from_millis(200);
        let all = latencies(folder.path(), patience).unwrap();
        assert!(!all.is_empty() && all.len() <= WRITES);
        // No write begins after the time limit, so only the last can end after
        // it.
        let but_last = all.split_last().unwrap().1;
        assert!(but_last.iter().sum::<Duration>() < patience);
        assert!(latencies(folder.path(), Duration::ZERO).unwrap().is_empty());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        let none = latencies(&folder.path().join("none"), PATIENCE).unwrap_err();
        assert_eq!(none, Errno::NOENT);
    }
}
