//! A server that a closure plays, for the tests of this module.

use std::io::Cursor;
use std::sync::{Arc, Mutex};

use crate::fetch::{Fetch, FetchError, Request, Response, Secret};

pub(super) type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// Answers with `script`, and records `<authorization> <url>` of each request. A
/// posted form follows the URL.
pub(super) struct Scripted<S> {
    script: S,
    seen: Mutex<Vec<String>>,
}

impl<S: Fn(&str, Option<&str>) -> Answer + Send + Sync> Scripted<S> {
    pub(super) fn new(script: S) -> Arc<Self> {
        Arc::new(Self { script, seen: Mutex::default() })
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl<S: Fn(&str, Option<&str>) -> Answer + Send + Sync> Fetch for Scripted<S> {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let authorization = request.authorization.as_ref().map(Secret::expose);
        let form = request.form.as_ref().map(|form| format!(" {}", form.expose()));
        let target = format!("{}{}", request.url, form.unwrap_or_default());
        self.seen.lock().unwrap().push(format!("{} {target}", authorization.unwrap_or("-")));
        let (status, headers, body) = (self.script)(&target, authorization);
        let location = headers.iter().find(|(name, _)| *name == "final-url");
        Ok(Response {
            url: location.map_or_else(|| request.url.clone(), |(_, url)| url.parse().unwrap()),
            status,
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            offset: 0,
            length: None,
            body: Box::new(Cursor::new(body)),
        })
    }
}
