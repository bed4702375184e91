//! How long to wait before another attempt, and the clock that this goes by.

use std::time::{Duration, Instant};

/// Time as it passes, or as a test has it pass.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) now: fn() -> Instant,
    pub(super) sleep: fn(Duration),
}

impl Clock {
    /// As it passes.
    pub(super) const REAL: Self = Self { now: Instant::now, sleep: std::thread::sleep };
}

/// Half a second, one, two, … with up to as much again of jitter.
pub(super) fn backoff(attempt: u32) -> Duration {
    let base = Duration::from_millis(250) * 2u32.saturating_pow(attempt.min(8));
    base.mul_f64(1.0 + fastrand::f64())
}
