//! Trying again. A transfer of gigabytes through other people's networks meets
//! a reset, a 503 or a limit sooner or later; none of them may end the build.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::backoff::{Clock, backoff};
use super::error::{FetchError, with_causes};
use super::failure::Lasting;
use super::fetcher::Fetch;
use super::notice::{Notices, PATIENCE};
use super::request::Request;
use super::response::Response;

/// How often a request is sent at most.
const ATTEMPTS: u32 = 6;
/// The same where nobody answers: a server that is started anew is back soon.
const UNREACHABLE_ATTEMPTS: u32 = 3;
/// How long an attempt at who does not answer may have taken for another to be
/// made: looking up a name where there is no name service takes longer.
const QUICK: Duration = Duration::from_secs(5);
/// How long a host's first answer may take: who took the connection may still be
/// nobody. Later ones may take longer, as of a mirror that fetches a layer itself.
const FIRST_ANSWER: Duration = Duration::from_secs(15);
/// The longest that a server's `Retry-After` is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Sends requests again where that can help: after 429 and 5xx, and when the
/// connection failed. Waits twice as long each time, with jitter, or as long as
/// the server says. A host that could not be reached is not asked again: a lock asks
/// for dozens of things of one host, a build for hundreds.
pub struct Retry<F> {
    inner: F,
    clock: Clock,
    notices: Notices,
    hosts: Mutex<Hosts>,
}

/// What was found out about hosts.
#[derive(Default)]
struct Hosts {
    /// Those that could not be reached, with the reason.
    unreachable: BTreeMap<String, String>,
    /// Those that have answered anything.
    answered: HashSet<String>,
    /// Those that went on having trouble to the last attempt.
    troubled: HashSet<String>,
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
        Self { inner, clock, notices: Notices::new(false), hosts: Mutex::default() }
    }

    /// The same with other words on what is tried again.
    pub fn telling(self, notices: &Notices) -> Self {
        Self { notices: notices.clone(), ..self }
    }

    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hosts that could not be reached, each with the reason.
    pub(super) fn all_unreachable(&self) -> Vec<(String, String)> {
        let hosts = self.hosts();
        hosts.unreachable.iter().map(|(host, why)| (host.clone(), why.clone())).collect()
    }

    /// Sends the request once. A host that takes its first connection and then says
    /// nothing counts as one that cannot be reached.
    fn once(&self, host: &str, request: &Request) -> Result<Response, FetchError> {
        if self.hosts().answered.contains(host) {
            return self.inner.open(request);
        }
        let begun = (self.clock.now)();
        let result = self.inner.open(&Request { patience: Some(FIRST_ANSWER), ..request.clone() });
        let took = (self.clock.now)().saturating_duration_since(begun);
        match result {
            Ok(response) => {
                self.hosts().answered.insert(host.to_owned());
                Ok(response)
            }
            Err(FetchError::Transport { url, .. }) if took >= FIRST_ANSWER => {
                let seconds = FIRST_ANSWER.as_secs();
                let words =
                    format!("it took the connection and said nothing for {seconds} seconds");
                Err(FetchError::Unreachable { url, source: words.into() })
            }
            result => result,
        }
    }

    /// Keeps in mind how the last of some attempts ended.
    fn note(&self, host: String, request: &Request, result: &Result<Response, FetchError>) {
        let mut hosts = self.hosts();
        match result {
            Ok(response) if is_troubled(response) => {
                hosts.troubled.insert(host);
            }
            Ok(_) => {
                hosts.troubled.remove(&host);
            }
            // Where another host failed that this one redirects to, this one is
            // there.
            Err(FetchError::Unreachable { url, source })
                if url.origin() == request.url.origin() =>
            {
                hosts.unreachable.entry(host).or_insert_with(|| source.to_string());
            }
            Err(_) => {}
        }
    }
}

/// Whether the server says that it has trouble.
fn is_troubled(response: &Response) -> bool {
    response.status >= 500
}

/// Whether it may say otherwise in a while. Who does not know how (501, 505), or
/// wants a person to log in (511), says so again.
fn may_pass(response: &Response) -> bool {
    let status = response.status;
    status == 429 || (is_troubled(response) && !matches!(status, 501 | 505 | 511))
}

impl<F: Fetch> Fetch for Retry<F> {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let host = request.url.origin().ascii_serialization();
        let (known, most) = {
            let hosts = self.hosts();
            let troubled = hosts.troubled.contains(&host);
            (hosts.unreachable.get(&host).cloned(), if troubled { 1 } else { ATTEMPTS })
        };
        if let Some(why) = known {
            return Err(FetchError::Unreachable {
                url: request.url.clone(),
                source: format!("{why}; it was not asked again").into(),
            });
        }
        let mut waited = Duration::ZERO;
        let mut attempt = 1;
        loop {
            let begun = (self.clock.now)();
            let result = self.once(&host, request);
            let took = (self.clock.now)().saturating_duration_since(begun);
            let (again, wait) = match &result {
                Ok(response) if may_pass(response) => {
                    let wait = retry_after(response).unwrap_or_else(|| backoff(attempt));
                    (attempt < most || (response.status == 429 && attempt < ATTEMPTS), wait)
                }
                Err(FetchError::Transport { .. }) => (attempt < ATTEMPTS, backoff(attempt)),
                Err(FetchError::Unreachable { source, .. }) => {
                    let heals = took < QUICK && !source.is::<Lasting>();
                    (attempt < UNREACHABLE_ATTEMPTS && heals, backoff(attempt))
                }
                _ => (false, Duration::ZERO),
            };
            if !again {
                self.note(host, request, &result);
                return result;
            }
            waited += wait;
            if waited >= PATIENCE {
                let words = match &result {
                    Ok(response) => format!("it answered with status {}", response.status),
                    Err(error) => with_causes(error),
                };
                self.notices.once(&host, &format!("{words}; it is asked again"));
            }
            (self.clock.sleep)(wait);
            attempt += 1;
        }
    }
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
