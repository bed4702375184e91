//! Trying again. A transfer of gigabytes through other people's networks meets
//! a reset, a 503 or a limit sooner or later; none of them may end the build.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::notice::{Notices, PATIENCE};
use super::{Fetch, FetchError, Request, Response, chain};

/// How often a request is sent at most.
const ATTEMPTS: u32 = 6;
/// The same where nobody listens: a server that is started anew is back soon.
const UNREACHABLE_ATTEMPTS: u32 = 3;
/// The longest that a server's `Retry-After` is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Sends requests again where that can help: after 429 and 5xx, and when the
/// connection failed. Waits twice as long each time, with jitter, or as long as
/// the server says. A server that could not be reached is asked only once more
/// each time after that.
pub struct Retry<F> {
    inner: F,
    sleep: fn(Duration),
    notices: Notices,
    unreachable: Mutex<HashSet<String>>,
}

impl<F: Fetch> Retry<F> {
    /// Tries the requests to `inner` up to six times.
    pub fn new(inner: F) -> Self {
        Self::with_sleep(inner, std::thread::sleep)
    }

    /// The same with another way to wait, for tests.
    pub fn with_sleep(inner: F, sleep: fn(Duration)) -> Self {
        let notices = Notices::new(false);
        Self { inner, sleep, notices, unreachable: Mutex::default() }
    }

    /// The same with other words on what is tried again.
    pub fn telling(self, notices: &Notices) -> Self {
        Self { notices: notices.clone(), ..self }
    }

    fn unreachable(&self) -> MutexGuard<'_, HashSet<String>> {
        self.unreachable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Fetch> Fetch for Retry<F> {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let host = request.url.origin().ascii_serialization();
        let mut waited = Duration::ZERO;
        let mut attempt = 1;
        loop {
            let result = self.inner.open(request);
            let (attempts, wait) = match &result {
                Ok(response) if response.status == 429 || response.status >= 500 => {
                    (ATTEMPTS, retry_after(response).unwrap_or_else(|| backoff(attempt)))
                }
                Err(FetchError::Transport { .. }) => (ATTEMPTS, backoff(attempt)),
                Err(FetchError::Unreachable { .. }) if self.unreachable().contains(&host) => {
                    return result;
                }
                Err(FetchError::Unreachable { .. }) => (UNREACHABLE_ATTEMPTS, backoff(attempt)),
                _ => return result,
            };
            if attempt == attempts {
                if let Err(FetchError::Unreachable { .. }) = result {
                    self.unreachable().insert(host);
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
            (self.sleep)(wait);
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
mod tests {
    use super::*;

    /// Answers with these statuses in turn; 0 is a lost connection, 1 none.
    struct Script(Mutex<Vec<u16>>);

    impl Fetch for Script {
        fn open(&self, request: &Request) -> Result<Response, FetchError> {
            let url = request.url.clone();
            match self.0.lock().unwrap().remove(0) {
                0 => Err(FetchError::Transport { url, source: "reset".into() }),
                1 => Err(FetchError::Unreachable { url, source: "refused".into() }),
                status => {
                    let headers = vec![("retry-after".to_owned(), "7".to_owned())];
                    let body = Box::new(std::io::empty());
                    Ok(Response { url, status, headers, offset: 0, length: None, body })
                }
            }
        }
    }

    fn status(script: &[u16]) -> (Option<u16>, usize) {
        let retry = Retry::with_sleep(Script(Mutex::new(script.to_vec())), |wait| {
            assert!(wait <= Duration::from_secs(60));
        });
        let request = Request::new("http://127.0.0.1/".parse().unwrap());
        let status = retry.open(&request).ok().map(|response| response.status);
        (status, retry.inner.0.lock().unwrap().len())
    }

    #[test]
    fn only_what_can_pass_is_tried_again() {
        assert_eq!(status(&[500, 0, 429, 200]), (Some(200), 0));
        assert_eq!(status(&[404, 200]), (Some(404), 1));
        assert_eq!(status(&[401, 200]), (Some(401), 1));
        assert_eq!(status(&[503; 9]), (Some(503), 3));
        assert_eq!(status(&[0; 9]), (None, 3));
        assert_eq!(status(&[1, 1, 200]), (Some(200), 0));
        assert_eq!(status(&[1; 9]), (None, 6));
    }

    #[test]
    fn who_waits_is_told_once_and_nobody_waits_twice_for_who_is_not_there() {
        let notices = Notices::new(true);
        let script = Script(Mutex::new([&[503, 200, 503, 200][..], &[1; 9]].concat()));
        let retry = Retry::with_sleep(script, |_| ()).telling(&notices);
        let request = Request::new("http://127.0.0.1:9/a".parse().unwrap());
        for _ in 0..2 {
            assert_eq!(retry.open(&request).unwrap().status, 200);
        }
        assert_eq!(notices.said(), ["http://127.0.0.1:9"]);
        let left = || retry.inner.0.lock().unwrap().len();
        assert!(retry.open(&request).is_err() && left() == 6);
        assert!(retry.open(&request).is_err() && left() == 5);
    }
}
