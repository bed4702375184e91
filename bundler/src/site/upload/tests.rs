use std::cell::Cell;
use std::io::Cursor;
use std::sync::{Arc, Mutex};

use super::*;
use crate::fetch::cache::Cache;
use crate::fetch::{Action, Fetch, Response, Verb};

const SIZE: usize = 20 << 20;

/// A registry that keeps one upload, and breaks where it is told to.
#[derive(Default)]
struct Fake {
    have: Mutex<Vec<u8>>,
    /// What happened, a word each.
    seen: Mutex<Vec<&'static str>>,
    fault: Fault,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Fault {
    #[default]
    None,
    /// The connection ends in the middle of the second piece, once.
    Cut,
    /// The same, and the registry does not know the upload then.
    Forgotten,
    /// It has no room.
    Full,
    /// It names another host for the bytes.
    Elsewhere,
    /// It never takes the last piece.
    Stubborn,
}

impl Fake {
    fn note(&self, word: &'static str) -> usize {
        let mut seen = self.seen.lock().unwrap();
        seen.push(word);
        seen.iter().filter(|one| **one == word).count()
    }

    fn put(&self, request: &Request, body: &[u8], offset: u64) -> Result<u16, FetchError> {
        let mut have = self.have.lock().unwrap();
        let is_last = request.url.query().is_some_and(|query| query.contains("digest="));
        let count = self.note(if is_last { "put" } else { "patch" });
        if have.len() as u64 != offset {
            return Ok(416);
        }
        match self.fault {
            Fault::Cut | Fault::Forgotten if count == 2 && !is_last => {
                have.extend(&body[..body.len() / 2]);
                if self.fault == Fault::Forgotten {
                    have.clear();
                }
                let source = "the connection was reset".into();
                return Err(FetchError::Transport { url: request.url.clone(), source });
            }
            Fault::Stubborn if is_last => return Ok(400),
            _ => have.extend(body),
        }
        Ok(if is_last { 201 } else { 202 })
    }
}

impl Fetch for Fake {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let mut headers = vec![("location".to_owned(), "/v2/a/blobs/uploads/1?s=2".to_owned())];
        let status = match &request.action {
            Action::Look => 404,
            Action::Read => {
                self.note("ask");
                let have = self.have.lock().unwrap().len();
                headers.push(("range".to_owned(), format!("0-{}", have.saturating_sub(1))));
                if have == 0 { 404 } else { 204 }
            }
            Action::Send(sending) if sending.verb == Verb::Post => {
                self.note("post");
                self.have.lock().unwrap().clear();
                match self.fault {
                    Fault::Full => 507,
                    Fault::Elsewhere => {
                        headers[0].1 = "http://other.io/v2/a/blobs/uploads/1".to_owned();
                        202
                    }
                    _ => 202,
                }
            }
            Action::Send(sending) => {
                self.put(request, &sending.body, sending.offset.unwrap_or(0))?
            }
        };
        let body = Box::new(Cursor::new(Vec::new()));
        let url = request.url.clone();
        Ok(Response { url, status, headers, offset: 0, length: None, body })
    }
}

/// Uploads to a registry with this fault. Gives what came of it, what the registry got, and
/// what it was asked.
fn upload(fault: Fault) -> (Result<Moved, String>, bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path()).unwrap();
    let bytes: Vec<u8> = (0..SIZE).map(|at| (at / 977 % 251) as u8).collect();
    let fake = Arc::new(Fake { fault, ..Fake::default() });
    let site = Site::over(Arc::clone(&fake) as Arc<dyn Fetch>);
    let endpoint = site.endpoint(&"r.io/a:t".parse().unwrap()).unwrap();
    let told = Cell::new(0);
    let upload = Upload {
        site: &site,
        endpoint: &endpoint,
        from: None,
        sessions: &Sessions::new(&cache),
        progress: &|count| told.set(told.get() + count),
    };
    let moved = upload.run(&Blob::of_bytes(&bytes, "a layer"));
    assert!(moved.is_err() || told.get() == SIZE as u64, "{}", told.get());
    let is_whole = *fake.have.lock().unwrap() == bytes;
    let seen = fake.seen.lock().unwrap().join(" ");
    (moved.map_err(|error| format!("{error:#}")), is_whole, seen)
}

#[test]
fn a_large_blob_goes_in_pieces_and_on_where_it_was_cut() {
    let whole = SIZE as u64;
    let (moved, is_whole, seen) = upload(Fault::None);
    assert_eq!((moved, is_whole), (Ok(Moved::Sent(whole)), true));
    assert_eq!(seen, "post patch patch put");
    let (moved, is_whole, seen) = upload(Fault::Cut);
    // The half of a piece that was cut is not counted, because nobody knows how much of it
    // left.
    assert_eq!((moved, is_whole), (Ok(Moved::Sent(whole - (4 << 20))), true));
    assert_eq!(seen, "post patch patch ask put");
    let (moved, is_whole, seen) = upload(Fault::Forgotten);
    assert_eq!((moved, is_whole), (Ok(Moved::Sent(whole + (8 << 20))), true));
    assert_eq!(seen, "post patch patch ask post patch patch put");
}

#[test]
fn what_cannot_help_is_not_tried_again() {
    let (moved, _, seen) = upload(Fault::Full);
    assert!(moved.unwrap_err().contains("https://r.io has no room for it"));
    assert_eq!(seen, "post");
    let (moved, _, _) = upload(Fault::Elsewhere);
    let error = moved.unwrap_err();
    assert!(error.contains("wants the bytes at another address, http://other.io/"), "{error}");
    let (moved, _, seen) = upload(Fault::Stubborn);
    assert!(moved.unwrap_err().contains("status 400"));
    assert_eq!(seen.matches("put").count(), 4, "{seen}");
}
