use std::cell::Cell;

use super::*;

thread_local! {
    static NOW: Cell<Instant> = Cell::new(Instant::now());
}

fn pass(time: Duration) {
    NOW.set(NOW.get() + time);
}

/// What a host does when it is asked, each taking a second.
#[derive(Clone, Copy)]
enum Does {
    Answer(u16),
    Reset,
    Nothing,
    /// The same after so long as a name service that is not there takes.
    NothingForLong,
    NoAddress,
    /// Takes the connection and says nothing.
    Silence,
    Redirect,
}
use Does::*;

struct Script(Mutex<Vec<Does>>);

impl Fetch for Script {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let url = request.url.clone();
        pass(Duration::from_secs(1));
        match self.0.lock().unwrap().remove(0) {
            Reset => Err(FetchError::Transport { url, source: "reset".into() }),
            Nothing => Err(FetchError::Unreachable { url, source: "refused".into() }),
            NothingForLong => {
                pass(Duration::from_secs(20));
                Err(FetchError::Unreachable { url, source: "no name".into() })
            }
            NoAddress => {
                let source = Lasting("no such name".to_owned()).into();
                Err(FetchError::Unreachable { url, source })
            }
            Silence => {
                pass(request.patience.unwrap_or(Duration::from_secs(60)));
                Err(FetchError::Transport { url, source: "timed out".into() })
            }
            Redirect => Err(FetchError::Refused { url, reason: "it redirects".to_owned() }),
            Answer(status) => {
                let headers = vec![("retry-after".to_owned(), "7".to_owned())];
                let body = Box::new(std::io::empty());
                Ok(Response { url, status, headers, offset: 0, length: None, body })
            }
        }
    }
}

fn scripted(script: &[Does]) -> Retry<Script> {
    let sleep = |wait| {
        assert!(wait <= Duration::from_secs(60));
        pass(wait);
    };
    Retry::with_clock(Script(Mutex::new(script.to_vec())), Clock { now: || NOW.get(), sleep })
}

fn left(retry: &Retry<Script>) -> usize {
    retry.inner.0.lock().unwrap().len()
}

fn request(url: &str) -> Request {
    Request::new(url.parse().unwrap())
}

#[test]
fn only_what_can_pass_is_tried_again() {
    let cases: [(&[Does], Option<u16>, usize); 14] = [
        (&[Answer(500), Reset, Answer(429), Answer(200)], Some(200), 0),
        (&[Answer(404), Answer(200)], Some(404), 1),
        (&[Answer(401), Answer(200)], Some(401), 1),
        (&[Answer(503); 9], Some(503), 3),
        (&[Reset; 9], None, 3),
        (&[Nothing, Nothing, Answer(200)], Some(200), 0),
        (&[Nothing; 9], None, 6),
        (&[NothingForLong; 9], None, 8),
        (&[NoAddress; 9], None, 8),
        // Nobody ever answered there, or somebody did.
        (&[Silence; 9], None, 8),
        (&[Answer(503), Silence, Answer(200)], Some(200), 0),
        (&[Answer(511), Answer(200)], Some(511), 1),
        (&[Redirect; 9], None, 8),
        (&[Reset, Redirect, Answer(200)], None, 1),
    ];
    for (number, (script, wanted, unasked)) in cases.into_iter().enumerate() {
        let retry = scripted(script);
        let status = retry.open(&request("http://127.0.0.1/")).ok().map(|answer| answer.status);
        assert_eq!((status, left(&retry)), (wanted, unasked), "case {number}");
    }
}

#[test]
fn who_waits_is_told_once() {
    let notices = Notices::new(true);
    let script = [Answer(503), Answer(200), Answer(503), Answer(200)];
    let retry = scripted(&script).telling(&notices);
    for _ in 0..2 {
        assert_eq!(retry.open(&request("http://127.0.0.1:9/a")).unwrap().status, 200);
    }
    assert_eq!(notices.said(), ["http://127.0.0.1:9"]);
}

#[test]
fn who_had_trouble_to_the_last_attempt_is_asked_once_at_a_time_until_he_is_well() {
    let script = [&[Answer(503); 7][..], &[Answer(200), Answer(503), Answer(200)]].concat();
    let retry = scripted(&script);
    let ask = || retry.open(&request("http://127.0.0.1:9/a")).unwrap().status;
    assert_eq!((ask(), left(&retry)), (503, 4));
    assert_eq!((ask(), left(&retry)), (503, 3));
    assert_eq!((ask(), left(&retry)), (200, 2));
    assert_eq!((ask(), left(&retry)), (200, 0));
}

#[test]
fn who_is_not_there_is_left_alone() {
    let mut script = vec![Nothing; 3];
    script.extend([Answer(200), Answer(200)]);
    let retry = scripted(&script);
    let begun = NOW.get();
    let first = with_causes(&retry.open(&request("http://127.0.0.1:9/a")).err().unwrap());
    assert_eq!(first, "cannot reach http://127.0.0.1:9/a: refused");
    // A hundred more requests cost nothing, and say the same.
    for _ in 0..100 {
        let again = with_causes(&retry.open(&request("http://127.0.0.1:9/b")).err().unwrap());
        assert!(again.ends_with("/b: refused; it was not asked again"), "{again}");
    }
    assert!(NOW.get() - begun < Duration::from_secs(10) && left(&retry) == 2);
    // Another host is asked all the same, and this one never again.
    assert!(retry.open(&request("http://127.0.0.1:8/a")).is_ok());
    pass(Duration::from_secs(3600));
    assert!(retry.open(&request("http://127.0.0.1:9/a")).is_err());
    assert_eq!(retry.all_unreachable(), [("http://127.0.0.1:9".to_owned(), "refused".to_owned())]);
}
