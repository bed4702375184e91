//! Trying again. A transfer of gigabytes through other people's networks sooner or
//! later meets a reset, a 503 or a rate limit. None of them may end the build.

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

/// The most attempts at a request.
const ATTEMPTS: u32 = 6;
/// The same if the host cannot be reached: a server that restarts is back soon.
const UNREACHABLE_ATTEMPTS: u32 = 3;
/// There is another attempt at an unreachable host only if the last one took less
/// than this: without a name service, each lookup of a name takes longer.
const QUICK: Duration = Duration::from_secs(5);
/// The longest wait for the first answer of a host: something that accepts
/// connections may still never answer. Later answers may take longer, for example if
/// a mirror fetches a layer itself.
const FIRST_ANSWER: Duration = Duration::from_secs(15);
/// The longest `Retry-After` that is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Sends requests again if that can help: after 429 and 5xx, and if the connection
/// failed. Waits twice as long each time, with jitter, or as long as the server says.
/// A host that could not be reached is not asked again, because a lock sends dozens
/// of requests to one host, and a build hundreds.
pub struct Retry<F> {
    inner: F,
    clock: Clock,
    notices: Notices,
    hosts: Mutex<Hosts>,
}

/// What is known about hosts.
#[derive(Default)]
struct Hosts {
    /// The hosts that could not be reached, with the reason.
    unreachable: BTreeMap<String, String>,
    /// The hosts that have answered.
    answered: HashSet<String>,
    /// The hosts that still had trouble at the last attempt.
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

    /// The same, but it tells `notices` when it tries a request again.
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

    /// Sends the request once. A host that accepts its first connection and never
    /// answers counts as one that cannot be reached.
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

    /// Remembers how the last attempt ended.
    fn note(&self, host: String, request: &Request, result: &Result<Response, FetchError>) {
        let mut hosts = self.hosts();
        match result {
            Ok(response) if is_troubled(response) => {
                hosts.troubled.insert(host);
            }
            Ok(_) => {
                hosts.troubled.remove(&host);
            }
            // If the URL is of another host, this host answered with a
            // redirect to that one.
            Err(FetchError::Unreachable { url, source })
                if url.origin() == request.url.origin() =>
            {
                hosts.unreachable.entry(host).or_insert_with(|| source.to_string());
            }
            Err(_) => {}
        }
    }
}

/// Whether the server reports trouble.
fn is_troubled(response: &Response) -> bool {
    response.status >= 500
}

/// Whether the answer may change soon. It does not for a server that does not know
/// how (501, 505), that has no more space (507), or that wants a person to log in (511).
fn may_pass(response: &Response) -> bool {
    let status = response.status;
    status == 429 || (is_troubled(response) && !matches!(status, 501 | 505 | 507 | 511))
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
