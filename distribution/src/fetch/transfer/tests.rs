use std::cell::{Cell, RefCell};
use std::sync::Mutex;
use std::time::Instant;

use super::super::cache::Cache;
use super::super::{Fetch, Response};
use super::*;

const SIZE: usize = 3 << 20;

thread_local! {
    static NOW: Cell<Instant> = Cell::new(Instant::now());
}

fn blob() -> Vec<u8> {
    (0..SIZE).map(|number| (number % 251) as u8).collect()
}

/// A server in a closure: of the offset that is asked for and the number of
/// requests before, it makes a status, an offset, and bytes that then break off.
struct Server<S> {
    script: S,
    requests: Mutex<usize>,
}

impl<S> Fetch for Server<S>
where
    S: Fn(u64, usize) -> (u16, u64, Vec<u8>) + Send + Sync,
{
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let mut requests = self.requests.lock().unwrap();
        let (status, offset, body) = (self.script)(request.offset, *requests);
        *requests += 1;
        let url = request.url.clone();
        let body = Box::new(io::Cursor::new(body));
        Ok(Response { url, status, headers: Vec::new(), offset, length: None, body })
    }
}

/// What became of a transfer upon `left`, and how many requests it took.
fn run(
    left: &[u8],
    script: impl Fn(u64, usize) -> (u16, u64, Vec<u8>) + Send + Sync,
) -> (Result<Vec<u8>, String>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path()).unwrap();
    let digest = Digest::of(&blob());
    std::fs::write(folder.path().join("partial").join(digest.hex()), left).unwrap();
    let server = Server { script, requests: Mutex::default() };
    let request = Request::new("http://127.0.0.1/blob".parse().unwrap());
    let source = &Source { fetch: &server, request };
    let told = RefCell::new(0);
    let mut transfer = Transfer {
        source,
        size: SIZE as u64,
        wanted: &digest.into(),
        clock: Clock { now: || NOW.get(), sleep: |wait| NOW.set(NOW.get() + wait) },
        progress: &|count| *told.borrow_mut() += count,
        reached: 0,
    };
    let result = transfer.run(cache.partial(&digest.hex()).unwrap());
    assert!(*told.borrow() <= SIZE as u64, "told of {}", told.borrow());
    let result = match result {
        Ok((partial, _)) => Ok(std::fs::read(&partial.path).unwrap()),
        Err(Broken::Source(error)) => Err(super::super::with_causes(&error)),
        Err(Broken::Cache(error)) => Err(super::super::with_causes(&error)),
    };
    (result, *server.requests.lock().unwrap())
}

fn from(offset: u64) -> Vec<u8> {
    blob().split_off(usize::try_from(offset).unwrap())
}

#[test]
fn what_brings_nothing_new_ends() {
    type Script = fn(u64, usize) -> (u16, u64, Vec<u8>);
    // Each brought bytes, threw them away, and began anew, for ever.
    let cases: [(&str, Script, usize); 5] = [
        (
            "short and 416 in turn",
            |offset, _| match offset {
                0 => (200, 0, vec![1; 1000]),
                _ => (416, 0, Vec::new()),
            },
            6,
        ),
        (
            "short and another range in turn",
            |offset, _| match offset {
                0 => (200, 0, vec![1; 1000]),
                _ => (206, offset + 7, vec![1; 1000]),
            },
            6,
        ),
        ("the whole from its beginning, always short", |_, _| (200, 0, vec![1; 1000]), 6),
        ("a byte more each time", |_, before| (200, 0, vec![1; before + 1]), 23),
        ("a byte each time", |offset, _| (206, offset, vec![1]), 23),
    ];
    for (what, script, most) in cases {
        let (result, requests) = run(&[], script);
        assert!(result.is_err() && requests <= most, "{what}: {requests} requests, {result:?}");
    }
    // And what comes at a byte a second is not gone on with, however much it is.
    let (result, requests) = run(&[], |offset, _| {
        NOW.set(NOW.get() + Duration::from_secs(61));
        (206, offset, from(offset)[..60_000].to_vec())
    });
    assert!(result.is_err() && requests == 5, "{requests}");
}

#[test]
fn a_server_that_cuts_and_gives_on_is_followed_to_the_end() {
    let (result, requests) = run(&[], |offset, before| {
        let piece = if before % 2 == 0 { 300_000 } else { 0 };
        let rest = from(offset);
        (206, offset, rest[..piece.min(rest.len())].to_vec())
    });
    assert!(result.unwrap() == blob());
    assert!(requests > 20);
}

#[test]
fn damaged_bytes_of_before_cost_one_more_request_and_no_build() {
    let honest = |offset: u64, _: usize| (206, offset, from(offset));
    let mut damaged = blob();
    damaged[7] ^= 1;
    for left in [&damaged[..1000], &damaged[..], &[0; SIZE + 1][..]] {
        let (result, requests) = run(left, honest);
        assert!(result.unwrap() == blob());
        assert!(requests <= 2, "{requests}");
    }
    // What is good of it is not fetched again.
    let (result, requests) = run(&blob()[..1000], |offset, _| {
        assert_eq!(offset, 1000);
        (206, offset, from(offset))
    });
    assert!(result.unwrap() == blob() && requests == 1);
    // Who gives wrong bytes from the beginning is not asked for ever.
    let (result, requests) = run(&damaged[..1000], |offset, _| {
        (206, offset, vec![0; SIZE - usize::try_from(offset).unwrap()])
    });
    assert!(result.unwrap_err().contains("was promised"));
    assert_eq!(requests, 2);
}

/// Of an old repository only a SHA-1 is known.
#[test]
fn what_is_known_by_another_checksum_is_held_to_that() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path()).unwrap();
    let bytes = blob();
    let hex = sha1_of(&bytes);
    let checksum = Checksum::parse("sha", &hex).unwrap();
    let url: url::Url = "http://127.0.0.1/blob".parse().unwrap();
    let server = |script: fn(u64, usize) -> (u16, u64, Vec<u8>)| Server {
        script,
        requests: Mutex::default(),
    };
    let get = |server: &dyn Fetch| {
        let size = SIZE as u64;
        let sources = [Source::new(server, url.clone())];
        super::super::download::download(&cache, &sources, &checksum, size, &|_| {})
    };
    // Damaged bytes of before cost nothing but another request here, too.
    std::fs::write(folder.path().join("partial").join(&hex), [9; 1000]).unwrap();
    let digest = get(&server(|offset, _| (206, offset, from(offset)))).unwrap();
    assert_eq!(digest, Digest::of(&bytes));
    assert!(std::fs::read(cache.path(digest)).unwrap() == bytes);
    // It is known by now, and nobody is asked; where it is lost, what comes is judged.
    let liar = server(|_, _| (200, 0, vec![0; SIZE]));
    assert_eq!(get(&liar).unwrap(), digest);
    std::fs::remove_file(cache.path(digest)).unwrap();
    let error = get(&liar).unwrap_err().to_string();
    assert!(error.contains("other bytes") && error.contains(&hex), "{error}");
}

fn sha1_of(bytes: &[u8]) -> String {
    use sha1::Digest as _;
    hex::encode(sha1::Sha1::digest(bytes))
}
