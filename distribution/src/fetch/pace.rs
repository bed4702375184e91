//! The least rate of a transfer. Without it, a server that sends a byte now and then
//! would hold up a build for ever, because no single read takes long.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// The time over which the rate is measured. It is longer than a pause of a server or
/// of the network.
const WINDOW: Duration = Duration::from_secs(60);
/// The fewest bytes in that time: 1 kB a second, the rate of a modem. At this rate, a
/// layer of a gigabyte would take twelve days.
const LEAST: u64 = 60_000;

/// A body that fails if it comes too slowly. Only the time of waiting for bytes
/// counts, not the time of using them.
pub(super) struct Paced<R> {
    body: R,
    now: fn() -> Instant,
    waited: Duration,
    came: u64,
}

impl<R: Read> Paced<R> {
    pub(super) fn new(body: R) -> Self {
        Self::with_clock(body, Instant::now)
    }

    fn with_clock(body: R, now: fn() -> Instant) -> Self {
        Self { body, now, waited: Duration::ZERO, came: 0 }
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let begun = (self.now)();
        let count = self.body.read(buffer)?;
        self.waited += (self.now)().saturating_duration_since(begun);
        self.came += count as u64;
        // A body that has ended is complete, however slow it was.
        if count > 0 && self.waited >= WINDOW {
            if self.came < LEAST {
                let seconds = self.waited.as_secs();
                let words = format!("only {} bytes came in {seconds} seconds", self.came);
                return Err(io::Error::new(io::ErrorKind::TimedOut, words));
            }
            (self.waited, self.came) = (Duration::ZERO, 0);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static NOW: Cell<Instant> = Cell::new(Instant::now());
    }

    fn pass(time: Duration) {
        NOW.set(NOW.get() + time);
    }

    /// Gives `size` bytes in each read, and each read takes `pause`.
    struct Slow {
        size: usize,
        pause: Duration,
        left: u64,
    }

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            pass(self.pause);
            let left = usize::try_from(self.left).unwrap();
            let count = self.size.min(buffer.len()).min(left);
            self.left -= count as u64;
            Ok(count)
        }
    }

    fn read(size: usize, pause: Duration, left: u64) -> io::Result<u64> {
        let mut body = Paced::with_clock(Slow { size, pause, left }, || NOW.get());
        let mut buffer = [0; 4096];
        let mut all = 0;
        loop {
            match body.read(&mut buffer)? {
                0 => return Ok(all),
                count => all += count as u64,
            }
            // The time of using the bytes does not count.
            pass(Duration::from_secs(600));
        }
    }

    #[test]
    fn what_comes_too_slowly_fails_after_a_window_and_the_rest_comes_whole() {
        let second = Duration::from_secs(1);
        let error = read(1, second, 1 << 30).unwrap_err();
        assert_eq!(error.to_string(), "only 60 bytes came in 60 seconds");
        assert!(read(999, second, 1 << 30).is_err());
        assert_eq!(read(1000, second, 1 << 20).unwrap(), 1 << 20);
        // A slow start and a small body are accepted.
        assert_eq!(read(1, second, 59).unwrap(), 59);
        assert_eq!(read(4096, 29 * second, 8192).unwrap(), 8192);
    }
}
