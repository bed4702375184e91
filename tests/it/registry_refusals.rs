//! Registries that are none, let nobody in, were typed wrong, or lose what they got.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bundle_format::archive::reader::Bundle;
use bundler::fetch::cache::Cache;
use bundler::fetch::http::HttpFetch;
use bundler::fetch::{Fetch, FetchError, Request, Response};
use bundler::site::push::push;
use bundler::site::{Address, Site, Task};
use serde_json::Value;

use crate::real_registry::RealRegistry;
use crate::registry::redirect::serve;
use crate::site::{built, pulls_the_same};
use crate::support::demo::Demo;

/// What push and pull say of a server that answers everything with `answer`.
fn told(demo: &Demo, answer: &str) -> [String; 2] {
    let answer = answer.to_owned();
    let (server, _heads) = serve(move |_| answer.clone());
    let address = &format!("oci://{server}/a/b:1");
    [&["push", "demo.tar", address][..], &["pull", address]].map(|arguments| {
        let arguments = [arguments, &["-q", "--plain-http"]].concat();
        let words = demo.fails(&arguments);
        assert_eq!(words.lines().count(), 1, "{words}");
        words
    })
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: \
         {length}\r\n\r\n{body}"
    )
}

#[test]
fn what_is_no_registry_is_called_so() {
    let demo = built();
    let page = "<!DOCTYPE html><html><title>Sign in</title></html>";
    for words in told(&demo, &answer("200 OK", "text/html", page)) {
        let said =
            "it gave a page of HTML (\"Sign in\"), so this is no registry: check the address";
        assert!(words.contains(said), "{words}");
    }
    let [push, pull] = told(&demo, &answer("404 Not Found", "text/html", "<html>"));
    assert!(push.contains("is no registry, or has no place for a/b: check the address"), "{push}");
    assert!(pull.contains("is not there: check the name and the tag"), "{pull}");
}

#[test]
fn who_may_not_read_learns_what_to_do() {
    let demo = built();
    let denied = r#"{"errors":[{"code":"DENIED","message":"no"}]}"#;
    for words in told(&demo, &answer("403 Forbidden", "application/json", denied)) {
        assert!(
            words.contains("does not let this user read that: ask for the right to"),
            "{words}"
        );
    }
}

#[test]
fn a_registry_with_tls_is_not_asked_without_it_in_vain() {
    let Some(registry) = RealRegistry::tls_basic() else { return };
    let demo = built();
    let address = &format!("oci://{}/private/demo:1", registry.host());
    for arguments in [&["push", "demo.tar", address][..], &["pull", address]] {
        let words = demo.fails(&[arguments, &["-q", "--plain-http"]].concat());
        assert!(words.contains("if the registry has TLS, leave out --plain-http"), "{words}");
    }
}

/// A way to olareg, which is asked without TLS. Before it takes the bundle's name for the first
/// time, a blob is lost there.
struct Losing {
    way: HttpFetch,
    blobs: PathBuf,
    has_lost: AtomicBool,
}

impl Fetch for Losing {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let is_name = request.is_sending() && request.url.path().ends_with("/manifests/1");
        if is_name && !self.has_lost.swap(true, Ordering::SeqCst) {
            let lost = fs::read_dir(&self.blobs).unwrap().next().unwrap().unwrap();
            fs::remove_file(lost.path()).unwrap();
        }
        let mut url = request.url.clone();
        url.set_scheme("http").unwrap();
        self.way.open(&Request { url, ..request.clone() })
    }
}

/// Somebody tidies the registry, or pushes the same at this moment.
#[test]
fn a_blob_that_is_lost_before_the_bundle_has_its_name_is_sent_again() {
    let Some(registry) = RealRegistry::olareg(&[]) else { return };
    let demo = built();
    let path = &demo.path("demo.tar");
    let address: Address = format!("oci://{}/kubeferry/demo:1", registry.host()).parse().unwrap();
    let way = HttpFetch::new(&[], None).unwrap();
    let blobs = registry.storage().join("kubeferry/demo/blobs/sha256");
    let site = Site::over(Arc::new(Losing { way, blobs, has_lost: AtomicBool::new(false) }));
    let pushed = push(&Task {
        bundle: &Bundle::open(path).unwrap(),
        path,
        address: &address,
        site: &site,
        mirror: None,
        replace: false,
        cache: &Cache::at(&demo.path("cache")).unwrap(),
        quiet: true,
    });
    let pushed = pushed.unwrap();
    let layers = pushed.tally.sent - 1;
    let manifest: Value =
        serde_json::from_slice(&registry.raw_manifest("kubeferry/demo:1")).unwrap();
    assert_eq!(manifest["layers"].as_array().unwrap().len(), layers);
    pulls_the_same(&demo, &registry, &address.to_string());
}
