//! Trying again. A transfer of gigabytes through other people's networks meets
//! a reset, a 503 or a limit sooner or later; none of them may end the build.

use std::time::{Duration, SystemTime};

use super::{Fetch, FetchError, Request, Response};

/// How often a request is sent at most.
const ATTEMPTS: u32 = 6;
/// The longest that a server's `Retry-After` is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Sends requests again where that can help: after 429 and 5xx, and when the
/// connection failed. Waits twice as long each time, with jitter, or as long as
/// the server says.
pub struct Retry<F> {
    inner: F,
    sleep: fn(Duration),
}

impl<F: Fetch> Retry<F> {
    /// Tries the requests to `inner` up to six times.
    pub fn new(inner: F) -> Self {
        Self { inner, sleep: std::thread::sleep }
    }

    /// The same with another way to wait, for tests.
    pub fn with_sleep(inner: F, sleep: fn(Duration)) -> Self {
        Self { inner, sleep }
    }
}

impl<F: Fetch> Fetch for Retry<F> {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let mut attempt = 1;
        loop {
            let result = self.inner.open(request);
            let wait = match &result {
                Ok(response) if response.status == 429 || response.status >= 500 => {
                    retry_after(response).unwrap_or_else(|| backoff(attempt))
                }
                Err(FetchError::Transport { .. }) => backoff(attempt),
                _ => return result,
            };
            if attempt == ATTEMPTS {
                return result;
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
    use std::sync::Mutex;

    /// Answers with these statuses in turn; 0 is a lost connection.
    struct Script(Mutex<Vec<u16>>);

    impl Fetch for Script {
        fn open(&self, request: &Request) -> Result<Response, FetchError> {
            let url = request.url.clone();
            match self.0.lock().unwrap().remove(0) {
                0 => Err(FetchError::Transport { url, source: "reset".into() }),
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
    }
}
