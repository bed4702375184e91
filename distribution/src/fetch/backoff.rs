//! How long to wait before another attempt, and the clock for it.

use std::time::{Duration, Instant};

/// The clock, which a test can replace.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) now: fn() -> Instant,
    pub(super) sleep: fn(Duration),
}

impl Clock {
    /// The real time.
    pub(super) const REAL: Self = Self { now: Instant::now, sleep: std::thread::sleep };
}

/// Half a second, one, two, … and a random part of up to the same length.
pub fn backoff(attempt: u32) -> Duration {
    let base = Duration::from_millis(250) * 2u32.saturating_pow(attempt.min(8));
    base.mul_f64(1.0 + fastrand::f64())
}
