//! The registry client against Debian's docker-registry: plain, with TLS and
//! a password, and with tokens. skopeo pushes, and is the oracle for digests.

use crate::support::demo;

mod rebuild;
pub(crate) mod redirect;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{net::TcpListener, thread};

use bundle_format::architecture::Architecture::{self, Aarch64, X86_64};
use bundle_format::digest::Digest;
use bundler::fetch::http::HttpFetch;
use bundler::image::pull::{Puller, ResolvedImage};
use bundler::image::registry::{PlainHttp, Registries, Registry};

use crate::real_registry::RealRegistry;
use crate::real_registry::image::Content;

/// A client that trusts the authority in `ca` besides the system's.
fn http(ca: Option<&Path>) -> Arc<HttpFetch> {
    let extra: Vec<_> = ca
        .map(|path| (path.display().to_string(), std::fs::read(path).unwrap()))
        .into_iter()
        .collect();
    Arc::new(HttpFetch::new(&extra, None).unwrap())
}

fn puller(registry: &RealRegistry, login: bool) -> Puller {
    let ca = registry.ca();
    let fetch = http(ca.is_file().then_some(ca.as_path()));
    let files: Vec<PathBuf> = login.then(|| registry.login_file()).into_iter().collect();
    Puller::new(fetch, registry.registries(), files)
}

fn resolve(
    puller: &Puller,
    registry: &RealRegistry,
    name: &str,
    architectures: &[Architecture],
) -> Result<ResolvedImage, String> {
    let image = format!("{}/{name}", registry.host()).parse().unwrap();
    puller.resolve(&image, architectures).map_err(|error| error.to_string())
}

/// Every blob that the image says it has is there, with its digest and size.
fn check_blobs(puller: &Puller, image: &ResolvedImage) {
    for platform in &image.platforms {
        assert_eq!(platform.layers.len(), 2);
        for blob in platform.layers.iter().chain([&platform.config]) {
            let endpoints = puller.endpoints(&image.source).unwrap();
            let response = puller.fetch().open(&endpoints[0].blob(&blob.digest)).unwrap();
            let mut body = response.body;
            assert_eq!(Digest::of_reader(&mut body).unwrap(), (blob.digest, blob.size));
        }
    }
}

#[test]
fn pulls_every_kind_of_image_from_a_plain_registry() {
    let Some(registry) = RealRegistry::plain() else { return };
    let puller = puller(&registry, false);
    let cases = [
        ("a/index:v1", Content::Index(vec![X86_64, Aarch64]), vec![X86_64, Aarch64], 3),
        ("a/oci:v1", Content::Oci(X86_64), vec![X86_64], 2),
        ("docker:v1.2_3", Content::Docker(Aarch64), vec![Aarch64], 2),
    ];
    for (name, content, architectures, documents) in cases {
        let digest = registry.push_image(name, &content);
        let image = resolve(&puller, &registry, name, &architectures).unwrap();
        assert_eq!(image.root.digest, digest, "{name}");
        assert_eq!(image.documents[0].1, registry.raw_manifest(name), "{name}");
        assert_eq!(image.documents.len(), documents, "{name}");
        let docker = image.root.media_type.contains("docker");
        assert_eq!(docker, name.starts_with("docker"));
        check_blobs(&puller, &image);

        let by_digest = format!("{name}@{digest}");
        let again = resolve(&puller, &registry, &by_digest, &architectures).unwrap();
        assert_eq!(again.platforms, image.platforms);
        assert!(again.source.to_string().ends_with(&by_digest));
    }
    let error = resolve(&puller, &registry, "a/oci:v1", &[Aarch64]).unwrap_err();
    assert!(error.contains("nothing for linux/arm64; it has: linux/amd64"), "{error}");
    let error = resolve(&puller, &registry, "a/oci:v2", &[X86_64]).unwrap_err();
    assert!(error.contains("check the name and the tag"), "{error}");
}

#[test]
fn takes_one_platform_of_an_index_whose_other_is_gone() {
    let Some(registry) = RealRegistry::plain() else { return };
    let puller = puller(&registry, false);
    registry.push_image("a:v1", &Content::Index(vec![X86_64, Aarch64]));
    let both = resolve(&puller, &registry, "a:v1", &[X86_64, Aarch64]).unwrap();
    registry.delete_manifest("a", &both.platforms[1].manifest.digest);
    let one = resolve(&puller, &registry, "a:v1", &[X86_64]).unwrap();
    assert_eq!((one.root, &one.platforms[..]), (both.root, &both.platforms[..1]));
    let error = resolve(&puller, &registry, "a:v1", &[X86_64, Aarch64]).unwrap_err();
    assert!(error.contains("404"), "{error}");
}

#[test]
fn logs_in_with_user_and_password_over_tls() {
    let Some(registry) = RealRegistry::tls_basic() else { return };
    let digest = registry.push_image("private/a:v1", &Content::Index(vec![X86_64]));
    let known = puller(&registry, true);
    let image = resolve(&known, &registry, "private/a:v1", &[X86_64]).unwrap();
    assert_eq!(image.root.digest, digest);
    check_blobs(&known, &image);

    let error =
        resolve(&puller(&registry, false), &registry, "private/a:v1", &[X86_64]).unwrap_err();
    assert!(error.contains("docker login 127.0.0.1"), "{error}");

    let wrong = registry.login_file().with_file_name("wrong.json");
    // `alice:wrong`
    let text = format!(r#"{{"auths":{{"{}":{{"auth":"YWxpY2U6d3Jvbmc="}}}}}}"#, registry.host());
    std::fs::write(&wrong, text).unwrap();
    let puller = Puller::new(http(Some(&registry.ca())), registry.registries(), vec![wrong]);
    let error = resolve(&puller, &registry, "private/a:v1", &[X86_64]).unwrap_err();
    assert!(error.contains("refuses user `alice`") && !error.contains("YWxp"), "{error}");
}

#[test]
fn does_not_trust_an_unknown_authority() {
    let Some(registry) = RealRegistry::tls_basic() else { return };
    let puller = Puller::new(http(None), registry.registries(), Vec::new());
    let error = resolve(&puller, &registry, "a:v1", &[X86_64]).unwrap_err();
    assert!(error.contains("certificate is not trusted") && error.contains("as `ca`"), "{error}");
}

#[test]
fn takes_tokens_as_the_user_and_as_nobody() {
    let Some(registry) = RealRegistry::token() else { return };
    let public = registry.push_image("public/a:v1", &Content::Index(vec![X86_64]));
    let private = registry.push_image("private/a:v1", &Content::Docker(X86_64));

    let known = puller(&registry, true);
    let before = registry.tokens_given();
    let image = resolve(&known, &registry, "private/a:v1", &[X86_64]).unwrap();
    assert_eq!(image.root.digest, private);
    check_blobs(&known, &image);
    assert_eq!(registry.tokens_given(), before + 1, "one token serves all of a repository");

    let nobody = puller(&registry, false);
    let image = resolve(&nobody, &registry, "public/a:v1", &[X86_64]).unwrap();
    assert_eq!(image.root.digest, public);
    check_blobs(&nobody, &image);
    let error = resolve(&nobody, &registry, "private/a:v1", &[X86_64]).unwrap_err();
    assert!(error.contains("none is configured"), "{error}");
}

#[test]
fn takes_tokens_by_an_identity_token() {
    let Some(registry) = RealRegistry::token() else { return };
    let private = registry.push_image("private/a:v1", &Content::Index(vec![X86_64]));
    let file = registry.login_file().with_file_name("identity.json");
    let login = |token: &str| {
        let text =
            format!(r#"{{"auths":{{"{}":{{"identitytoken":"{token}"}}}}}}"#, registry.host());
        std::fs::write(&file, text).unwrap();
        Puller::new(http(None), registry.registries(), vec![file.clone()])
    };
    let known = login(lab::token_server::IDENTITY);
    let image = resolve(&known, &registry, "private/a:v1", &[X86_64]).unwrap();
    assert_eq!(image.root.digest, private);
    check_blobs(&known, &image);
    let error = resolve(&login("HUNTER2"), &registry, "private/a:v1", &[X86_64]).unwrap_err();
    assert!(error.contains("refuses the identity token") && !error.contains("HUNTER"), "{error}");
}

/// Two teams of one registry, as podman keeps their logins.
#[test]
fn a_login_for_a_namespace_is_for_that_alone() {
    let (host, heads) = redirect::serve(|head| {
        let end = "Content-Length: 0\r\nConnection: close\r\n\r\n";
        match head.to_lowercase().contains("authorization:") {
            true => format!("HTTP/1.1 404 No\r\n{end}"),
            false => format!("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"r\"\r\n{end}"),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("auth.json");
    // `ua:pa` and `ub:pb`
    let text = format!(
        r#"{{"auths":{{"{host}/teama":{{"auth":"dWE6cGE="}},"{host}/teamb":{{"auth":"dWI6cGI="}}}}}}"#
    );
    std::fs::write(&file, text).unwrap();
    let plain = Registry { plain_http: PlainHttp::Allowed, ..Registry::default() };
    let registries = Registries::new(BTreeMap::from([(host.to_string(), plain)])).unwrap();
    let puller = Puller::new(http(None), registries, vec![file]);
    for (repository, sent) in
        [("teama/app", Some("dWE6cGE=")), ("teamb/x/y", Some("dWI6cGI=")), ("teamab/app", None)]
    {
        let image = format!("{host}/{repository}:v1").parse().unwrap();
        puller.resolve(&image, &[X86_64]).unwrap_err();
        let last = heads.try_iter().last().unwrap();
        let value = last.lines().find_map(|line| line.split_once("Basic "));
        assert_eq!(value.map(|(_, value)| value), sent, "{repository}: {last}");
    }
}

/// The demo's spec with a repository by an address that leads to this machine too, and which
/// nobody takes for it.
pub(crate) fn by_another_name(demo: &demo::Demo) -> String {
    let (_, port) = demo.upstream.host().split_once(':').unwrap();
    let spec = demo.spec();
    let moved = spec.replace("baseUrl: URL/os/", &format!("baseUrl: http://0.0.0.0:{port}/os/"));
    assert!(moved != spec);
    moved
}

/// With a proxy in the environment that nobody runs.
#[test]
fn every_form_of_no_proxy_counts() {
    let demo = demo::Demo::start();
    // The demo's own host needs no proxy in any case.
    demo.write_spec(&by_another_name(&demo));
    let (_, port) = demo.upstream.host().split_once(':').unwrap();
    let lock = |no_proxy: &str, name: &str| {
        let output = std::process::Command::new(demo::BUNDLER)
            .arg("lock")
            .current_dir(demo.folder.path())
            .env("XDG_CACHE_HOME", demo.path("cache"))
            .env("HOME", demo.folder.path())
            .env("HTTP_PROXY", "http://127.0.0.1:1")
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .env(name, no_proxy)
            .output()
            .unwrap();
        output.status.success()
    };
    assert!(!lock("a.io", "NO_PROXY"), "the proxy was not asked");
    for (no_proxy, name) in [
        ("*", "NO_PROXY"),
        ("a.io, *", "no_proxy"),
        ("a.io 0.0.0.0/8", "NO_PROXY"),
        (&format!("0.0.0.0:{port}"), "no_proxy"),
    ] {
        assert!(lock(no_proxy, name), "{name}={no_proxy}");
    }
}

#[test]
fn many_threads_ask_for_one_token() {
    let Some(registry) = RealRegistry::token() else { return };
    registry.push_image("private/a:v1", &Content::Oci(X86_64));
    let puller = puller(&registry, true);
    let before = registry.tokens_given();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| resolve(&puller, &registry, "private/a:v1", &[X86_64]).unwrap());
        }
    });
    assert_eq!(registry.tokens_given(), before + 1);
}

#[test]
fn turns_to_the_next_place_when_a_mirror_is_down_or_has_it_not() {
    let Some(mirror) = RealRegistry::plain() else { return };
    let Some(upstream) = RealRegistry::plain() else { return };
    let down = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mirrors = [down.to_string(), format!("{}/hub", mirror.host())];
    let registry = Registry {
        mirrors: mirrors.iter().map(|host| format!("http://{host}").parse().unwrap()).collect(),
        plain_http: PlainHttp::Allowed,
        ..Registry::default()
    };
    let mut registries = BTreeMap::from([(upstream.host(), registry)]);
    for host in [down.to_string(), mirror.host()] {
        let plain = Registry { plain_http: PlainHttp::Allowed, ..Registry::default() };
        registries.insert(host, plain);
    }
    let registries = Registries::new(registries).unwrap();
    let puller = Puller::new(http(None), registries, Vec::new());

    let of_mirror = mirror.push_image("hub/a:v1", &Content::Oci(X86_64));
    assert_eq!(resolve(&puller, &upstream, "a:v1", &[X86_64]).unwrap().root.digest, of_mirror);
    let of_upstream = upstream.push_image("b:v1", &Content::Docker(X86_64));
    assert_eq!(resolve(&puller, &upstream, "b:v1", &[X86_64]).unwrap().root.digest, of_upstream);

    let error = resolve(&puller, &upstream, "c:v1", &[X86_64]).unwrap_err();
    for host in [down.to_string(), mirror.host(), upstream.host()] {
        assert!(error.contains(&format!("from {host}: ")), "{error}");
    }
}

#[test]
fn a_host_that_blobs_are_redirected_to_sees_no_password() {
    let (storage, at_storage) = redirect::serve(|_| {
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nblob".to_owned()
    });
    let (host, at_registry) = redirect::serve(move |head| {
        let end = "Content-Length: 0\r\nConnection: close\r\n\r\n";
        // `alice:s3cret`
        if head.contains("Basic YWxpY2U6czNjcmV0") {
            format!("HTTP/1.1 307 Elsewhere\r\nLocation: http://{storage}/x?signed=1\r\n{end}")
        } else {
            format!("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"r\"\r\n{end}")
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let login = folder.path().join("config.json");
    let text = format!(r#"{{"auths":{{"{host}":{{"auth":"YWxpY2U6czNjcmV0"}}}}}}"#);
    std::fs::write(&login, text).unwrap();
    let registry = Registry { plain_http: PlainHttp::Allowed, ..Registry::default() };
    let registries = Registries::new(BTreeMap::from([(host.to_string(), registry)])).unwrap();
    let puller = Puller::new(http(None), registries, vec![login]);

    let image = format!("{host}/a:v1").parse().unwrap();
    let endpoints = puller.endpoints(&image).unwrap();
    let response = puller.fetch().open(&endpoints[0].blob(&Digest::of(b"blob"))).unwrap();
    let mut body = response.body;
    assert_eq!(Digest::of_reader(&mut body).unwrap(), (Digest::of(b"blob"), 4));
    let authorized = |head: String| head.to_lowercase().contains("authorization:");
    assert_eq!(at_registry.try_iter().map(authorized).collect::<Vec<_>>(), [false, true]);
    assert_eq!(at_storage.try_iter().map(authorized).collect::<Vec<_>>(), [false]);
}
