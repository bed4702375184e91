//! What the server says on the wire, with no client library between.

use std::io::{Read, Write};
use std::net::TcpStream;

use bundle_format::digest::Digest;
use bundle_format::image::{OCI_INDEX, OCI_MANIFEST};
use upstream::Upstream;

/// One request on a connection of its own; the whole response.
fn exchange(upstream: &Upstream, method: &str, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(upstream.host()).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").unwrap().1
}

/// The `Authorization` header with a token for a repository, and the types that
/// its manifests have.
fn authorization(upstream: &Upstream, repository: &str) -> String {
    let path = format!("/token?service=upstream&scope=repository%3A{repository}%3Apull");
    let response = exchange(upstream, "GET", &path, "");
    let document: serde_json::Value = serde_json::from_str(body(&response)).unwrap();
    let token = document["token"].as_str().unwrap();
    format!("Authorization: Bearer {token}\r\nAccept: {OCI_INDEX}\r\nAccept: {OCI_MANIFEST}\r\n")
}

#[test]
fn the_protocol() {
    let upstream = Upstream::start().unwrap();
    let calico = "/manifests/calico.yaml";

    let whole = exchange(&upstream, "GET", calico, "");
    assert!(whole.starts_with("HTTP/1.1 200 OK\r\n"), "{whole}");
    assert!(whole.contains(&format!("Content-Length: {}\r\n", body(&whole).len())));
    let head = exchange(&upstream, "HEAD", calico, "");
    assert_eq!((body(&head), head.trim_end()), ("", whole.split("\r\n\r\n").next().unwrap()));
    let part = exchange(&upstream, "GET", calico, "Range: bytes=2-8\r\n");
    assert!(part.starts_with("HTTP/1.1 206"), "{part}");
    assert_eq!(Some(body(&part)), body(&whole).get(2..9));
    let beyond = exchange(&upstream, "GET", calico, "Range: bytes=999999-\r\n");
    assert!(beyond.starts_with("HTTP/1.1 416"), "{beyond}");

    for path in ["/os/../blobs", "/blobs/x", "/etc/passwd", "/os", "/osx/repodata/repomd.xml"] {
        assert!(exchange(&upstream, "GET", path, "").starts_with("HTTP/1.1 404"), "{path}");
    }
    assert!(exchange(&upstream, "POST", "/v2/", "").starts_with("HTTP/1.1 405"));
}

#[test]
fn a_token_opens_its_own_repository_only() {
    let upstream = Upstream::start().unwrap();
    let path = "/v2/pause/manifests/3.9";
    let refused = exchange(&upstream, "GET", path, "");
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    assert!(refused.contains("WWW-Authenticate: Bearer realm=\"http://127.0.0.1:"), "{refused}");
    let foreign = authorization(&upstream, "etcd");
    assert!(exchange(&upstream, "GET", path, &foreign).starts_with("HTTP/1.1 401"));

    let own = authorization(&upstream, "pause");
    let index = exchange(&upstream, "GET", path, &own);
    assert!(index.starts_with("HTTP/1.1 200"), "{index}");
    let digest = Digest::of(body(&index).as_bytes());
    assert!(index.contains(&format!("Docker-Content-Digest: {digest}\r\n")), "{index}");
    let by_digest = exchange(&upstream, "GET", &format!("/v2/pause/manifests/{digest}"), &own);
    assert_eq!(body(&by_digest), body(&index));
    // As from distribution's registry, nothing comes in a type not asked for.
    let bare = own.split_inclusive("\r\n").next().unwrap();
    assert!(exchange(&upstream, "GET", path, bare).starts_with("HTTP/1.1 404"));
}

#[test]
fn ingress_nginx_names_the_registry_s_own_digests() {
    let upstream = Upstream::start().unwrap();
    let manifest = exchange(&upstream, "GET", "/manifests/ingress-nginx.yaml", "");
    let own = authorization(&upstream, "ingress-nginx/controller");
    let path = "/v2/ingress-nginx/controller/manifests/v1.9.3";
    let digest = Digest::of(body(&exchange(&upstream, "GET", path, &own)).as_bytes());
    assert!(manifest.contains(&format!("controller:v1.9.3@{digest}")), "{manifest}");
}

#[test]
fn images_are_the_same_on_every_start() {
    let index = || {
        let upstream = Upstream::start().unwrap();
        let own = authorization(&upstream, "kube-proxy");
        body(&exchange(&upstream, "GET", "/v2/kube-proxy/manifests/v1.28.2", &own)).to_owned()
    };
    assert_eq!(index(), index());
}

#[test]
fn requests_are_counted_by_kind() {
    let upstream = Upstream::start().unwrap();
    for path in ["/os/repodata/repomd.xml", "/token", "/manifests/calico.yaml", "/v2/", "/v2/"] {
        exchange(&upstream, "GET", path, "");
    }
    let requests = upstream.requests();
    assert_eq!((requests.repodata, requests.tokens, requests.manifests), (1, 1, 1));
    assert_eq!((requests.others, requests.blobs, requests.packages), (2, 0, 0));
}

#[test]
fn a_large_image_has_its_size() {
    let upstream = Upstream::start_with_large_image(8).unwrap();
    let own = authorization(&upstream, "large");
    let manifest = exchange(&upstream, "GET", "/v2/large/manifests/latest", &own);
    let document: serde_json::Value = serde_json::from_str(body(&manifest)).unwrap();
    let layers = document["layers"].as_array().unwrap();
    let total: u64 = layers.iter().map(|layer| layer["size"].as_u64().unwrap()).sum();
    assert_eq!(layers.len(), 4);
    assert!(total > 8 * 1024 * 1024, "{total}");
}
