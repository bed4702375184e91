//! Trying again. A transfer of gigabytes through other people's networks meets
//! a reset, a 503 or a limit sooner or later; none of them may end the build.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::notice::{Notices, PATIENCE};
use super::{Fetch, FetchError, Request, Response, chain};

/// How often a request is sent at most.
const ATTEMPTS: u32 = 6;
/// The same where nobody answers: a server that is started anew is back soon.
const UNREACHABLE_ATTEMPTS: u32 = 3;
/// How long an attempt at who does not answer may have taken for another to be
/// made: looking up a name where there is no name service takes longer.
const QUICK: Duration = Duration::from_secs(5);
/// How long a host that did not answer is not asked again: a lock asks for
/// dozens of things of one host, a build for hundreds.
const REST: Duration = Duration::from_secs(60);
/// The longest that a server's `Retry-After` is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Sends requests again where that can help: after 429 and 5xx, and when the
/// connection failed. Waits twice as long each time, with jitter, or as long as
/// the server says. A host that could not be reached is left alone for a while.
pub struct Retry<F> {
    inner: F,
    clock: Clock,
    notices: Notices,
    /// The hosts that could not be reached, with when that was.
    unreachable: Mutex<HashMap<String, Instant>>,
}

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

impl<F: Fetch> Retry<F> {
    /// Tries the requests to `inner` up to six times.
    pub fn new(inner: F) -> Self {
        Self::with_clock(inner, Clock::REAL)
    }

    /// The same with another way to wait, for tests.
    pub fn with_sleep(inner: F, sleep: fn(Duration)) -> Self {
        Self::with_clock(inner, Clock { now: Instant::now, sleep })
    }

    fn with_clock(inner: F, clock: Clock) -> Self {
        Self { inner, clock, notices: Notices::new(false), unreachable: Mutex::default() }
    }

    /// The same with other words on what is tried again.
    pub fn telling(self, notices: &Notices) -> Self {
        Self { notices: notices.clone(), ..self }
    }

    fn unreachable(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.unreachable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the host did not answer just now.
    fn rests(&self, host: &str) -> bool {
        let since = self.unreachable().get(host).copied();
        since.is_some_and(|since| (self.clock.now)().saturating_duration_since(since) < REST)
    }
}

impl<F: Fetch> Fetch for Retry<F> {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let host = request.url.origin().ascii_serialization();
        if self.rests(&host) {
            return Err(FetchError::Unreachable {
                url: request.url.clone(),
                source: "it did not answer a moment ago, and was not asked again".into(),
            });
        }
        let mut waited = Duration::ZERO;
        let mut attempt = 1;
        loop {
            let begun = (self.clock.now)();
            let result = self.inner.open(request);
            let took = (self.clock.now)().saturating_duration_since(begun);
            let (again, wait) = match &result {
                Ok(response) if response.status == 429 || response.status >= 500 => {
                    let wait = retry_after(response).unwrap_or_else(|| backoff(attempt));
                    (attempt < ATTEMPTS, wait)
                }
                Err(FetchError::Transport { .. }) => (attempt < ATTEMPTS, backoff(attempt)),
                Err(FetchError::Unreachable { .. }) => {
                    (attempt < UNREACHABLE_ATTEMPTS && took < QUICK, backoff(attempt))
                }
                _ => return result,
            };
            if !again {
                // Where another host failed that this one redirects to, this one
                // is there.
                if let Err(FetchError::Unreachable { url, .. }) = &result
                    && url.origin() == request.url.origin()
                {
                    self.unreachable().insert(host, (self.clock.now)());
                }
                return result;
            }
            waited += wait;
            if waited >= PATIENCE {
                let words = match &result {
                    Ok(response) => format!("it answered with status {}", response.status),
                    Err(error) => chain(error),
                };
                self.notices.once(&host, &format!("{words}; it is asked again"));
            }
            (self.clock.sleep)(wait);
            attempt += 1;
        }
    }
}

/// Half a second, one, two, … with up to as much again of jitter.
pub(super) fn backoff(attempt: u32) -> Duration {
    let base = Duration::from_millis(250) * 2u32.saturating_pow(attempt.min(8));
    base.mul_f64(1.0 + fastrand::f64())
}

/// Seconds or a date (RFC 9110, 10.2.3).
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.header("retry-after")?;
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).ok()?,
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;
