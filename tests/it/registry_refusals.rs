//! Registries that are none, let nobody in, or were typed wrong.

use crate::real_registry::RealRegistry;
use crate::registry::redirect::serve;
use crate::site::built;
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
