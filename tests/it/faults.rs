//! Transfers over a server that misbehaves: each ends in the right bytes or in
//! a clear error, never in wrong bytes under a final name.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bundle_format::Digest;
use bundler::fetch::cache::Cache;
use bundler::fetch::checksum::Checksum;
use bundler::fetch::download::{Source, download};
use bundler::fetch::http::HttpFetch;
use bundler::fetch::retry::Retry;
use bundler::fetch::{self, FetchError, Request, Secret};
use url::Url;

/// A request as the server saw it: its path, and the headers that matter here.
struct Seen {
    path: String,
    offset: Option<usize>,
    authorized: bool,
    /// How many requests for this path came before.
    before: usize,
}

/// Serves what `answer` writes, raw, until the test ends.
fn server(answer: impl Fn(&Seen, &mut TcpStream) + Send + Sync + 'static) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let answer = Arc::new(answer);
    let counts = Arc::new(std::sync::Mutex::new(std::collections::HashMap::<String, usize>::new()));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (answer, counts) = (Arc::clone(&answer), Arc::clone(&counts));
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                let path = line.split(' ').nth(1).unwrap().to_owned();
                let (mut offset, mut authorized) = (None, false);
                loop {
                    let mut header = String::new();
                    if reader.read_line(&mut header).unwrap() <= 2 {
                        break;
                    }
                    let header = header.to_lowercase();
                    if let Some(range) = header.strip_prefix("range: bytes=") {
                        offset = range.trim().trim_end_matches('-').parse().ok();
                    }
                    authorized |= header.starts_with("authorization:");
                }
                let before = {
                    let mut counts = counts.lock().unwrap();
                    let count = counts.entry(path.clone()).or_default();
                    *count += 1;
                    *count - 1
                };
                answer(&Seen { path, offset, authorized, before }, &mut stream);
            });
        }
    });
    url
}

fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)));
}

fn blob() -> Vec<u8> {
    (0..600_000u32).flat_map(u32::to_le_bytes).collect()
}

/// Answers ranges as a server should.
fn serve(seen: &Seen, stream: &mut TcpStream, bytes: &[u8]) {
    match seen.offset {
        Some(offset) => {
            let range =
                format!("Content-Range: bytes {offset}-{}/{}\r\n", bytes.len() - 1, bytes.len());
            respond(stream, "206 Partial Content", &range, &bytes[offset..]);
        }
        None => respond(stream, "200 OK", "", bytes),
    }
}

fn client() -> Retry<HttpFetch> {
    let http = HttpFetch::new(&[], Some(Duration::from_millis(700))).unwrap();
    Retry::with_sleep(http, |_| {})
}

struct Outcome {
    result: Result<(), String>,
    stored: bool,
}

/// Downloads the blob from `path` of the server.
fn get(url: &Url, path: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path()).unwrap();
    let bytes = blob();
    let digest = Digest::of(&bytes);
    let fetch = client();
    let sources = [Source { fetch: &fetch, request: Request::new(url.join(path).unwrap()) }];
    let result = download(&cache, &sources, &digest.into(), bytes.len() as u64, &|_| {});
    let stored = cache.path(digest).exists();
    if stored {
        assert!(std::fs::read(cache.path(digest)).unwrap() == bytes);
    }
    Outcome { result: result.map(drop).map_err(|error| error.to_string()), stored }
}

#[test]
fn what_passes_is_overcome() {
    let url = server(|seen, stream| {
        let bytes = blob();
        let whole = bytes.len();
        match seen.path.as_str() {
            "/good" => serve(seen, stream, &bytes),
            "/500-then-good" if seen.before < 3 => respond(stream, "500 Oops", "", b""),
            "/429-then-good" if seen.before < 2 => {
                respond(stream, "429 Slow", "Retry-After: 1\r\n", b"");
            }
            "/reset-then-good" if seen.before < 2 => {}
            // Cut off again and again, each time after some more.
            "/cut" if seen.before < 4 => {
                let start = seen.offset.unwrap_or(0);
                let end = (start + whole / 5).min(whole);
                let range = format!("Content-Range: bytes {start}-{}/{whole}\r\n", whole - 1);
                let (status, range) = if start == 0 {
                    ("200 OK", "")
                } else {
                    ("206 Partial Content", range.as_str())
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\n{range}Content-Length: {}\r\n\r\n",
                    whole - start
                );
                drop(
                    stream
                        .write_all(head.as_bytes())
                        .and_then(|()| stream.write_all(&bytes[start..end])),
                );
            }
            // No ranges here: always the whole, once cut.
            "/no-ranges" => {
                let end = if seen.before == 0 { whole / 2 } else { whole };
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {whole}\r\n\r\n");
                drop(
                    stream
                        .write_all(head.as_bytes())
                        .and_then(|()| stream.write_all(&bytes[..end])),
                );
            }
            "/redirect" => respond(stream, "307 There", "Location: /good\r\n", b""),
            _ => serve(seen, stream, &bytes),
        }
    });
    for path in [
        "good",
        "500-then-good",
        "429-then-good",
        "reset-then-good",
        "cut",
        "no-ranges",
        "redirect",
    ] {
        let outcome = get(&url, path);
        assert_eq!(outcome.result, Ok(()), "{path}");
        assert!(outcome.stored, "{path}");
    }
}

#[test]
fn what_does_not_pass_is_a_clear_error_and_leaves_nothing() {
    let url = server(|seen, stream| {
        let bytes = blob();
        match seen.path.as_str() {
            "/404" => respond(stream, "404 Not Found", "", b"no"),
            "/500" => respond(stream, "500 Oops", "", b""),
            "/wrong-digest" => {
                let mut wrong = bytes;
                wrong[1000] ^= 1;
                serve(seen, stream, &wrong);
            }
            "/short" => respond(stream, "200 OK", "", &bytes[..100]),
            "/long" => respond(stream, "200 OK", "", &[bytes.as_slice(), b"more"].concat()),
            "/html" => {
                respond(stream, "200 OK", "Content-Type: text/html\r\n", b"<html>log in</html>");
            }
            "/loop" => respond(stream, "302 There", "Location: /loop\r\n", b""),
            // Where nobody listens.
            "/dead" => respond(stream, "302 There", "Location: http://127.0.0.1:9/x\r\n", b""),
            // Sends the headers and some bytes, then nothing any more.
            "/stall" => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\nabc", bytes.len());
                drop(stream.write_all(head.as_bytes()));
                std::thread::sleep(Duration::from_secs(20));
            }
            _ => {}
        }
    });
    let cases = [
        ("404", "status 404"),
        ("500", "status 500"),
        ("wrong-digest", "was promised"),
        ("short", "was promised"),
        ("long", "was promised"),
        ("html", "was promised"),
        ("loop", "redirects more than"),
        ("dead", "cannot reach http://127.0.0.1:9/x"),
        ("dead", &format!("{} redirects there", url.origin().ascii_serialization())),
        ("stall", "timed out"),
    ];
    for (path, words) in cases {
        let outcome = get(&url, path);
        let error = outcome.result.unwrap_err();
        assert!(error.contains(words), "{path}: {error}");
        assert!(!outcome.stored, "{path}");
    }
}

#[test]
fn a_second_place_is_asked_when_the_first_has_other_bytes() {
    let url = server(|seen, stream| match seen.path.as_str() {
        "/bad" => respond(stream, "200 OK", "", &[0; 2_400_000]),
        _ => serve(seen, stream, &blob()),
    });
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path()).unwrap();
    let bytes = blob();
    let digest = Digest::of(&bytes);
    let fetch = client();
    let sources = ["bad", "good"]
        .map(|path| Source { fetch: &fetch, request: Request::new(url.join(path).unwrap()) });
    download(&cache, &sources, &digest.into(), bytes.len() as u64, &|_| {}).unwrap();
    assert!(std::fs::read(cache.path(digest)).unwrap() == bytes);
}

/// A mirror that gives half of something else, and then no more, costs one
/// request more, and is not blamed on the registry.
#[test]
fn bytes_of_a_bad_mirror_do_not_poison_the_good_registry() {
    let url = server(|seen, stream| {
        let bytes = blob();
        let whole = bytes.len();
        match seen.path.as_str() {
            "/bad" => {
                let start = seen.offset.unwrap_or(0);
                let sent = if start == 0 { whole / 2 } else { 0 };
                let head = format!(
                    "HTTP/1.1 206 Part\r\nContent-Range: bytes {start}-{}/{whole}\r\nContent-Length: {}\r\n\r\n",
                    whole - 1,
                    whole - start
                );
                drop(
                    stream
                        .write_all(head.as_bytes())
                        .and_then(|()| stream.write_all(&vec![9; sent])),
                );
            }
            _ => serve(seen, stream, &bytes),
        }
    });
    let bytes = blob();
    let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path()).unwrap();
    let fetch = client();
    let source =
        |path: &str| Source { fetch: &fetch, request: Request::new(url.join(path).unwrap()) };
    let told = AtomicUsize::new(0);
    let progress = |count: u64| {
        told.fetch_add(usize::try_from(count).unwrap(), Ordering::SeqCst);
    };
    download(&cache, &[source("bad"), source("good")], &digest.into(), size, &progress).unwrap();
    assert!(std::fs::read(cache.path(digest)).unwrap() == bytes);
    assert_eq!(told.load(Ordering::SeqCst), bytes.len());
    // Nor where the bad one was all that an earlier build had reached.
    std::fs::remove_file(cache.path(digest)).unwrap();
    let error = download(&cache, &[source("bad")], &digest.into(), size, &progress).unwrap_err();
    assert!(!error.to_string().contains("was promised"), "{error}");
    download(&cache, &[source("good")], &digest.into(), size, &progress).unwrap();
    assert!(std::fs::read(cache.path(digest)).unwrap() == bytes);
}

/// Of an old repository only a SHA-1 is known: such a package resumes, tries again and
/// changes places as all others do.
#[test]
fn a_package_of_another_checksum_goes_on_where_it_broke_off() {
    static OFFSETS: std::sync::Mutex<Vec<Option<usize>>> = std::sync::Mutex::new(Vec::new());
    let url = server(|seen, stream| {
        let bytes = blob();
        let length = bytes.len();
        if seen.path == "/gone" {
            return respond(stream, "404 Not Found", "", b"");
        }
        OFFSETS.lock().unwrap().push(seen.offset);
        match seen.before {
            0 => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                let half = &bytes[..length / 2];
                drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(half)));
            }
            1 => respond(stream, "503 Busy", "Retry-After: 1\r\n", b""),
            _ => serve(seen, stream, &bytes),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path()).unwrap();
    let (bytes, fetch) = (blob(), client());
    let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
    let checksum = Checksum::parse("sha1", "c053ea81100e75c0f9d18883b22a96374a081bf0").unwrap();
    let sources = ["gone", "package"].map(|path| Source::new(&fetch, url.join(path).unwrap()));
    let told = AtomicUsize::new(0);
    let progress = |count: u64| {
        told.fetch_add(usize::try_from(count).unwrap(), Ordering::SeqCst);
    };
    assert_eq!(download(&cache, &sources, &checksum, size, &progress).unwrap(), digest);
    assert!(std::fs::read(cache.path(digest)).unwrap() == bytes);
    let half = Some(bytes.len() / 2);
    assert_eq!(*OFFSETS.lock().unwrap(), [None, half, half]);
    assert_eq!(told.load(Ordering::SeqCst), bytes.len());
    // By now it is known, and nothing is asked for.
    assert_eq!(download(&cache, &[], &checksum, size, &progress).unwrap(), digest);
}

/// Whatever a server does, a part of a document is no document.
#[test]
fn a_document_that_is_cut_short_is_an_error() {
    let url = server(|seen, stream| {
        let answer: &[u8] = match seen.path.as_str() {
            "/length" => b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nkind: Pod\n",
            "/chunks" => {
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nkind: Pod\n\r\n"
            }
            "/chunk" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nkind: Pod\n",
            "/206" => {
                b"HTTP/1.1 206 Part\r\nContent-Range: bytes 0-9/4000\r\nContent-Length: 10\r\n\r\nkind: Pod\n"
            }
            "/gzip-short" => {
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4000\r\n\r\n\x1f\x8b"
            }
            "/gzip" => {
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b"
            }
            // Some servers call a compressed file's own form a coding.
            "/primary.xml.gz" => {
                b"HTTP/1.1 200 OK\r\nContent-Encoding: x-gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b"
            }
            _ => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        };
        drop(stream.write_all(answer));
    });
    let read = |path: &str| fetch::bytes(&client(), &url.join(path).unwrap(), 1 << 20);
    for (path, words) in [
        ("length", "cannot read"),
        ("chunks", "cannot read"),
        ("chunk", "cannot read"),
        ("206", "status 206"),
        ("gzip-short", "coding `gzip`"),
        ("gzip", "coding `gzip`"),
    ] {
        let error = read(path).unwrap_err().to_string();
        assert!(error.contains(words), "{path}: {error}");
    }
    assert_eq!(read("primary.xml.gz").unwrap(), b"\x1f\x8b");
    assert_eq!(read("good").unwrap(), b"ok");
}

/// What another attempt cannot change is asked for once.
#[test]
fn what_cannot_pass_is_final_at_once() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let url = server(|seen, stream| {
        ASKED.fetch_add(1, Ordering::SeqCst);
        match seen.path.as_str() {
            "/loop" => respond(stream, "302 There", "Location: /loop\r\n", b""),
            _ => respond(stream, "302 There", "Location: http://[/\r\n", b""),
        }
    });
    let asked = |url: Url, words: &str| {
        ASKED.store(0, Ordering::SeqCst);
        let error = fetch::Fetch::open(&client(), &Request::new(url)).err().unwrap();
        let is_final = matches!(error, FetchError::Refused { .. } | FetchError::Unreachable { .. });
        let told = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(is_final && format!("{error}: {told}").contains(words), "{error}: {told}");
        ASKED.load(Ordering::SeqCst)
    };
    assert_eq!(asked(url.join("loop").unwrap(), "redirects more than 10"), 11);
    assert_eq!(asked(url.join("nowhere").unwrap(), "not a URL"), 1);
    // A server for http is asked over TLS, and says so in its own way.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let tls = format!("https://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            ASKED.fetch_add(1, Ordering::SeqCst);
            drop(std::io::Read::read(&mut stream, &mut [0; 4096]));
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    });
    assert_eq!(asked(tls.parse().unwrap(), "does not speak TLS"), 1);

    // Nobody has this name (RFC 2606), and it is told soon.
    static SLEPT: AtomicUsize = AtomicUsize::new(0);
    let sleep = |_| {
        SLEPT.fetch_add(1, Ordering::SeqCst);
    };
    let client = Retry::with_sleep(HttpFetch::new(&[], None).unwrap(), sleep);
    for _ in 0..20 {
        let request = Request::new("https://kubeferry.invalid/v2/".parse().unwrap());
        let error = fetch::Fetch::open(&client, &request).err().unwrap();
        assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    }
    assert!(SLEPT.load(Ordering::SeqCst) <= 2);
}

#[test]
fn an_interrupted_transfer_goes_on_where_it_broke_off() {
    static SENT: AtomicUsize = AtomicUsize::new(0);
    let url = server(|seen, stream| {
        let bytes = blob();
        SENT.store(bytes.len() - seen.offset.unwrap_or(0), Ordering::SeqCst);
        serve(seen, stream, &bytes);
    });
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path()).unwrap();
    let bytes = blob();
    let digest = Digest::of(&bytes);
    // What a build that was killed leaves behind: the beginning.
    let partial = folder.path().join("partial").join(digest.hex());
    std::fs::write(&partial, &bytes[..2_000_000]).unwrap();
    let fetch = client();
    let source = || [Source { fetch: &fetch, request: Request::new(url.join("blob").unwrap()) }];
    download(&cache, &source(), &digest.into(), bytes.len() as u64, &|_| {}).unwrap();
    assert_eq!(SENT.load(Ordering::SeqCst), bytes.len() - 2_000_000);
    assert!(!partial.exists());
    // A beginning that was damaged on the disk is noticed, and fetched anew.
    std::fs::remove_file(cache.path(digest)).unwrap();
    std::fs::write(&partial, vec![9; 1000]).unwrap();
    download(&cache, &source(), &digest.into(), bytes.len() as u64, &|_| {}).unwrap();
    assert!(std::fs::read(cache.path(digest)).unwrap() == bytes);
}

#[test]
fn credentials_do_not_follow_a_redirect_to_another_host() {
    let elsewhere = server(|seen, stream| {
        let words: &[u8] = if seen.authorized { b"leaked" } else { b"clean" };
        respond(stream, "200 OK", "", words);
    });
    let target = elsewhere.to_string();
    let url = server(move |seen, stream| {
        assert!(seen.authorized);
        respond(stream, "307 There", &format!("Location: {target}x\r\n"), b"");
    });
    let http = HttpFetch::new(&[], None).unwrap();
    let request =
        Request { authorization: Some(Secret::new("Bearer secret")), ..Request::new(url) };
    let mut text = String::new();
    let mut response = fetch::Fetch::open(&http, &request).unwrap();
    std::io::Read::read_to_string(&mut response.body, &mut text).unwrap();
    assert_eq!(text, "clean");
}

#[test]
fn what_a_redirect_carries_is_never_shown() {
    // Nobody listens at a port that was given back.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = server(move |seen, stream| {
        let target = match seen.path.as_str() {
            "/refused" => format!("http://bob:HUNTER2@{gone}/x?X-Amz-Signature=TOPSECRET#end"),
            "/scheme" => "ftp://bob:HUNTER2@a.io/x?X-Amz-Signature=TOPSECRET".to_owned(),
            "/404" => "/gone?X-Amz-Signature=TOPSECRET".to_owned(),
            _ => return respond(stream, "404 Not Found", "", b""),
        };
        respond(stream, "307 There", &format!("Location: {target}\r\n"), b"");
    });
    let http = HttpFetch::new(&[], None).unwrap();
    for path in ["refused", "scheme", "404"] {
        let answer = fetch::bytes(&http, &url.join(path).unwrap(), 100);
        let mut error: &dyn std::error::Error = &answer.unwrap_err();
        let mut text = error.to_string();
        while let Some(cause) = error.source() {
            text += &cause.to_string();
            error = cause;
        }
        assert!(!text.contains("SECRET") && !text.contains("HUNTER"), "{path}: {text}");
        assert_eq!(text.contains("Connection refused"), path == "refused", "{text}");
    }
}

#[test]
fn a_document_that_breaks_off_is_asked_for_again() {
    let url = server(|seen, stream| {
        let bytes = blob();
        if seen.before < 2 {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
            drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes[..1000])));
        } else {
            serve(seen, stream, &bytes);
        }
    });
    assert!(fetch::bytes(&client(), &url, 64 << 20).unwrap() == blob());
}

#[test]
fn documents_are_bounded() {
    let url = server(|_, stream| {
        // No length is said, and there is no end.
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n"));
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let http = HttpFetch::new(&[], None).unwrap();
    let error = fetch::bytes(&http, &url, 1 << 20).unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { .. }), "{error}");
}
