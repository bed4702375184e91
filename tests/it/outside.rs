//! What is outside and does not answer: hosts that are not there, that take a
//! connection and say nothing, names that nobody knows, proxies that refuse; and
//! what does not exist.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::registry::by_another_name;
use crate::support::demo::{BUNDLER, Demo};

/// A port of this machine on which nobody listens.
fn closed() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A server that answers every connection so, and counts them.
fn server(answer: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(stream.read(&mut [0; 4096]));
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    (host, count)
}

fn lock(demo: &Demo, variables: &[(&str, &str)]) -> (Output, String, Duration) {
    let begun = Instant::now();
    let mut command = Command::new(BUNDLER);
    command.args(["lock"]).current_dir(demo.folder.path()).envs(variables.iter().copied());
    let command = command.env("XDG_CACHE_HOME", demo.path("cache")).env("HOME", demo.path(""));
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, error, begun.elapsed())
}

/// The demo's spec with other words on registries, each spoken to without TLS
/// where it is one of `plain`.
fn with_registries(demo: &Demo, registries: &str, plain: &[&str]) {
    let spec = demo.spec();
    let (before, _) = spec.split_once("registries:").unwrap();
    let plain: String =
        plain.iter().map(|host| format!("  \"{host}\": {{plainHttp: a test}}\n")).collect();
    demo.write_spec(&format!(
        "{before}registries:\n{registries}{plain}  \"HOST\": {{plainHttp: a test}}\ninstallers: []\n"
    ));
}

fn lines(error: &str, words: &str) -> usize {
    error.lines().filter(|line| line.contains(words)).count()
}

#[test]
fn each_host_that_is_not_there_is_told_once_and_soon() {
    let demo = Demo::start();
    let (mirror, other) = (closed(), closed());
    let mirrors = format!(
        "  registry.k8s.io: {{mirrors: [\"http://{mirror}\"], only: true}}\n  \
         docker.io: {{mirrors: [\"http://{other}\"], only: true}}\n"
    );
    with_registries(&demo, &mirrors, &[&mirror, &other]);
    // A manifest of a host without an address, and a repository on a closed port.
    let gone = closed();
    let spec = demo.spec().replace("URL/docker-ce/\n", &format!("http://{gone}/docker-ce/\n"));
    let spec = spec.replace("URL/manifests/calico.yaml", "https://kubeferry.invalid/calico.yaml");
    demo.write_spec(&spec.replace("manifests:\n", "images: [busybox:1]\nmanifests:\n"));
    let (output, error, took) = lock(&demo, &[]);
    assert_eq!(output.status.code(), Some(1));
    for (host, what) in [
        (format!("http://{mirror}"), "it is needed for image registry.k8s.io/coredns"),
        (format!("http://{other}"), "it is needed for image docker.io/library/busybox:1"),
        (format!("http://{gone}"), "it is needed for target el9-x86_64, repository `docker-ce`"),
        ("https://kubeferry.invalid".to_owned(), "it is needed for manifest calico"),
    ] {
        let told = error.lines().filter(|line| line.contains(&format!("cannot reach {host}: ")));
        let told: Vec<&str> = told.collect();
        assert!(told.len() == 1 && told[0].contains(what), "{host}: {error}");
    }
    assert!(lines(&error, "image") <= 6 && error.lines().count() <= 8, "{error}");
    assert!(error.contains("HTTPS_PROXY") && error.contains("`only: true`"), "{error}");
    assert!(took < Duration::from_secs(60), "{took:?}");
    // A repository that is gone while registries are there.
    let demo = Demo::start();
    for part in ["/docker-ce/\n", "/docker-ce/repodata"] {
        let spec = demo.spec();
        demo.write_spec(&spec.replace(&format!("URL{part}"), &format!("http://{gone}{part}")));
        let error = demo.fails(&["lock"]);
        let told = format!("cannot reach http://{gone}: tcp connect error: Connection refused");
        assert_eq!(lines(&error, &told), 1, "{error}");
        assert_eq!(lines(&error, "it is needed for target el9-x86_64"), 1, "{error}");
        demo.write_spec(&spec);
    }
}

#[test]
fn a_mirror_that_is_not_trusted_is_told_once() {
    let demo = Demo::start();
    // It speaks http, where TLS is spoken to it.
    let (mirror, asked) = server("HTTP/1.1 400 Bad Request\r\n\r\n");
    let mirrors = format!(
        "  registry.k8s.io: {{mirrors: [\"https://{mirror}\"], only: true}}\n  \
         docker.io: {{mirrors: [\"https://{mirror}\", URL], only: true}}\n"
    );
    with_registries(&demo, &mirrors, &[]);
    let (output, error, _) = lock(&demo, &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = format!("cannot reach https://{mirror}: the server does not speak TLS");
    assert_eq!(lines(&error, &told), 1, "{error}");
    assert_eq!(lines(&error, &mirror), 1, "{error}");
    assert!(error.contains(" more") && !error.contains("cannot be pulled"), "{error}");
    // Those that ask at the same time ask once each.
    assert!(asked.load(Ordering::SeqCst) <= 12, "{error}");
}

#[test]
fn who_takes_the_connection_and_says_nothing_is_not_there_either() {
    let demo = Demo::start();
    // Nobody ever takes what the kernel has accepted.
    let silent = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let hosts = silent.each_ref().map(|one| one.local_addr().unwrap().to_string());
    let [a, b, c] = &hosts;
    let mirrors = format!(
        "  registry.k8s.io: {{mirrors: [\"http://{a}\", \"http://{b}\"], only: true}}\n  \
         docker.io: {{mirrors: [\"http://{c}\", URL], only: true}}\n"
    );
    with_registries(&demo, &mirrors, &[a, b, c]);
    let (output, error, took) = lock(&demo, &[]);
    assert_eq!(output.status.code(), Some(1));
    for host in [a, b] {
        assert_eq!(lines(&error, &format!("cannot reach http://{host}: it took")), 1, "{error}");
    }
    // The other mirror has those images.
    assert!(!error.contains(c.as_str()), "{error}");
    // Two would be waited for 40 seconds each, image by image for minutes.
    assert!(took < Duration::from_secs(100), "{took:?}");
}

#[test]
fn a_mirror_can_be_the_only_place() {
    let demo = Demo::start();
    let (own, asked) = server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    with_registries(
        &demo,
        &format!(
            "  registry.k8s.io: {{mirrors: [URL], only: true}}\n  \
             docker.io: {{mirrors: [URL], only: true}}\n  \
             \"{own}\": {{mirrors: [URL], only: true, plainHttp: a test}}\n"
        ),
        &[],
    );
    let spec = demo.spec();
    demo.write_spec(
        &spec.replace("manifests:\n", &format!("images: [\"{own}/none:1\"]\nmanifests:\n")),
    );
    let (output, error, _) = lock(&demo, &[]);
    assert_eq!(output.status.code(), Some(1));
    let from: Vec<&str> = error.lines().filter(|line| line.contains(" from ")).collect();
    assert!(from.len() == 1 && from[0].contains(demo.upstream.host()), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    demo.write_spec(&spec);
    demo.ok(&["lock"]);
    // Without mirrors there is nobody to ask.
    with_registries(&demo, "  registry.k8s.io: {only: true}\n", &[]);
    let (_, error, _) = lock(&demo, &[]);
    assert!(
        error.contains("bundle.yaml:") && error.contains("name them under `mirrors`"),
        "{error}"
    );
}

#[test]
fn what_does_not_exist_is_told_before_repositories_are_read() {
    let demo = Demo::start();
    let spec = demo.spec();
    demo.write_spec(&spec.replace("version: 1.28.2", "version: 1.28.99"));
    let before = demo.upstream.requests();
    let (_, error, _) = lock(&demo, &[]);
    // The table ends, and the repositories say whether there is a later release.
    assert!(error.contains("no repository has a package `kubelet = 1.28.99`"), "{error}");
    let after = demo.upstream.requests();
    assert_eq!((before.packages, before.image_manifests), (after.packages, after.image_manifests));
    // Another that is known and that no registry has, and an image beside it.
    let spec = spec.replace("version: 1.28.2", "version: 1.28.3");
    let host = demo.upstream.host();
    demo.write_spec(
        &spec.replace("manifests:\n", &format!("images: [\"{host}/no/ne:1\"]\nmanifests:\n")),
    );
    with_only(&demo);
    let (_, error, _) = lock(&demo, &[]);
    for image in ["registry.k8s.io/kube-apiserver:v1.28.3", &format!("{host}/no/ne:1")] {
        assert!(error.contains(&format!("image {image} cannot be pulled")), "{error}");
    }
    assert!(error.contains("check the name and the tag"), "{error}");
    assert_eq!(demo.upstream.requests().repodata, after.repodata);
}

/// No registry is asked but the demo's.
fn with_only(demo: &Demo) {
    let spec = demo.spec();
    demo.write_spec(&spec.replace("    mirrors: [URL]\n", "    mirrors: [URL]\n    only: true\n"));
}

#[test]
fn a_proxy_that_refuses_is_asked_once_for_each_host() {
    let (refusing, asked) = server("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let demo = Demo::start();
    with_registries(&demo, "", &[]);
    for (proxy, words) in [(refusing, "tunnel error"), (closed(), "onnect")] {
        let proxy = format!("http://{proxy}");
        let variables = [("HTTPS_PROXY", proxy.as_str())];
        let (output, error, took) = lock(&demo, &variables);
        assert_eq!(output.status.code(), Some(1));
        for host in ["https://registry.k8s.io", "https://registry-1.docker.io"] {
            let line = error.lines().find(|line| line.contains(&format!("cannot reach {host}: ")));
            assert!(line.is_some_and(|line| line.contains(words)), "{error}");
        }
        assert_eq!(lines(&error, "cannot reach"), 2, "{error}");
        assert!(took < Duration::from_secs(60), "{took:?}");
    }
    // Twelve images, eight of them at a time, three attempts at most of each.
    let asked = asked.load(Ordering::SeqCst);
    assert!(asked <= 2 * (8 + 1) * 3, "{asked}");
}

#[test]
fn without_a_network_all_hosts_are_told_at_once() {
    let works = Command::new("unshare").args(["-rn", "true"]).status();
    if !works.is_ok_and(|status| status.success()) {
        println!("skipped: no namespace without a network can be made here");
        return;
    }
    let demo = Demo::start();
    demo.ok(&["init", "own.yaml"]);
    let begun = Instant::now();
    let mut command = Command::new("unshare");
    command.args(["-rn", BUNDLER, "lock", "own.yaml"]).current_dir(demo.folder.path());
    let command = command.env("XDG_CACHE_HOME", demo.path("cache")).env("HOME", demo.path(""));
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    let hosts = error.split("cannot reach ").skip(1).map(|rest| rest.split(": ").next().unwrap());
    let hosts: Vec<&str> = hosts.collect();
    let mut each = hosts.clone();
    each.sort_unstable();
    each.dedup();
    assert!(hosts.len() > 2 && each.len() == hosts.len(), "{error}");
    assert_eq!(lines(&error, "its address is not known"), hosts.len(), "{error}");
    assert!(error.lines().count() <= hosts.len() + 2, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_host_that_went_away_after_the_lock_is_told_once_by_the_build() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    let Demo { upstream, folder } = demo;
    let host = upstream.url().to_owned();
    drop(upstream);
    // Keys and documents are there, packages and layers are not.
    let cache = folder.path().join("cache");
    let mut command = Command::new(BUNDLER);
    command.args(["build", "-q"]).current_dir(folder.path());
    let command = command.env("XDG_CACHE_HOME", cache).env("HOME", folder.path());
    // Nothing else can be reached either.
    let command = command.env("HTTPS_PROXY", format!("http://{}", closed()));
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines(&error, &format!("cannot reach {host}: ")), 1, "{error}");
    assert!(error.lines().count() <= 6, "{error}");
}

#[test]
fn another_mirror_of_a_list_serves_where_that_of_the_lock_is_gone() {
    let demo = Demo::start();
    let spec = demo.spec();
    let list = demo.path("mirrors");
    let own = format!("{}/docker-ce/\n", demo.upstream.url());
    std::fs::write(&list, &own).unwrap();
    let from = format!("mirrorList: file://{}", list.display());
    demo.write_spec(&spec.replace("baseUrl: URL/docker-ce/", &from));
    demo.ok(&["lock"]);
    // As if another mirror had answered then: the list has both, and that is gone.
    let gone = closed();
    std::fs::write(&list, format!("http://{gone}/docker-ce/\n{own}")).unwrap();
    demo.ok(&["lock"]);
    let path = demo.path("bundle.yaml.lock.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mine = format!("{}/docker-ce/", demo.upstream.url());
    let mut lock: serde_json::Value = serde_json::from_str(&text).unwrap();
    lock["targets"][0]["repositories"][2]["baseUrl"] = format!("http://{gone}/docker-ce/").into();
    for rpm in lock["rpms"].as_array_mut().unwrap() {
        let source =
            rpm["source"].as_str().unwrap().replace(&mine, &format!("http://{gone}/docker-ce/"));
        rpm["source"] = source.into();
    }
    assert!(lock.to_string().contains(&format!("{gone}/docker-ce/Packages")), "{lock}");
    std::fs::write(&path, lock.to_string()).unwrap();
    demo.ok(&["build", "-q"]);
    // What is in the cache needs no list.
    demo.ok(&["build", "-q", "-o", "again.tar"]);
}

#[test]
fn a_blob_that_the_lock_says_to_be_empty_is_not_passed_over() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    let path = demo.path("bundle.yaml.lock.json");
    let text = std::fs::read_to_string(&path).unwrap();
    demo.ok(&["build", "-q"]);
    let mut lock: serde_json::Value = serde_json::from_str(&text).unwrap();
    lock["rpms"][0]["size"] = 0.into();
    std::fs::write(&path, lock.to_string()).unwrap();
    let error = demo.fails(&["build"]);
    assert!(error.contains("cannot fetch chrony-4.3-1.el9.x86_64: "), "{error}");
    assert!(error.contains("run `bundler lock` and look at what it changes"), "{error}");
}

#[test]
fn a_token_server_that_is_not_there_is_told_once() {
    let demo = Demo::start();
    let gone = closed();
    let answer = format!(
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\
         WWW-Authenticate: Bearer realm=\"http://{gone}/token\",service=\"r\"\r\n\r\n"
    );
    let (registry, _) = server(answer.leak());
    let own = format!(
        "  registry.k8s.io: {{mirrors: [\"http://{registry}\"], only: true}}\n  \
         docker.io: {{mirrors: [\"http://{registry}\"], only: true}}\n"
    );
    with_registries(&demo, &own, &[&registry, &gone]);
    let (output, error, _) = lock(&demo, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines(&error, &format!("cannot reach http://{gone}: ")), 1, "{error}");
    assert!(error.lines().count() <= 4, "{error}");
}

/// A way on which all that is sent is lost: back to this machine, which is not it.
const LOSING: &str = "ip link set lo up && ip route add 198.18.0.0/24 dev lo && ";

#[test]
fn who_never_answers_a_connection_is_waited_for_once() {
    let line = format!("{LOSING} true");
    let works = Command::new("unshare").args(["-rn", "sh", "-c", &line]).status();
    if !works.is_ok_and(|status| status.success()) {
        println!("skipped: no namespace with a route of its own can be made here");
        return;
    }
    let demo = Demo::start();
    demo.ok(&["init", "own.yaml"]);
    let spec = std::fs::read_to_string(demo.path("own.yaml")).unwrap();
    let registries = "registries:\n  registry.k8s.io: {mirrors: [\"https://198.18.0.2\", \
                      \"https://198.18.0.3:5000\"], only: true}\n";
    std::fs::write(demo.path("own.yaml"), format!("{spec}\n{registries}")).unwrap();
    let begun = Instant::now();
    let mut command = Command::new("unshare");
    let line = format!("{LOSING} exec \"$0\" lock own.yaml");
    command.args(["-rn", "sh", "-c", &line, BUNDLER]).current_dir(demo.folder.path());
    let command = command.env("XDG_CACHE_HOME", demo.path("cache")).env("HOME", demo.path(""));
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    for host in ["https://198.18.0.2", "https://198.18.0.3:5000"] {
        let told = error.lines().filter(|line| line.contains(&format!("cannot reach {host}: ")));
        let told: Vec<&str> = told.collect();
        assert!(told.len() == 1 && told[0].contains("it took no connection"), "{error}");
    }
    // Seven images at two places, 10 seconds each, would take minutes.
    assert!(begun.elapsed() < Duration::from_secs(80), "{:?}", begun.elapsed());
}

/// The HTTP library leaves out a proxy that it does not understand, and goes without it.
#[test]
fn a_proxy_that_is_none_is_named_by_its_variable() {
    let demo = Demo::start();
    demo.write_spec(&by_another_name(&demo));
    for (name, value, words) in [
        (
            "http_proxy",
            "http//proxy:3128",
            "http_proxy is not the URL of a proxy: its `http://` is misspelt",
        ),
        ("HTTP_PROXY", "http://jane:s3cr@et@proxy:3128", "write `@` as %40"),
        (
            "ALL_PROXY",
            "socks5://proxy:1080",
            "ALL_PROXY is not the URL of a proxy: this program supports",
        ),
    ] {
        let (output, error, took) = lock(&demo, &[(name, value)]);
        assert!(!output.status.success() && error.contains(words), "{error}");
        assert!(error.contains("write http://HOST:PORT") && !error.contains("s3cr"), "{error}");
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
    let variables = [("http_proxy", "http://127.0.0.1:9"), ("NO_PROXY", "0.0.0.0/33")];
    let (output, error, _) = lock(&demo, &variables);
    assert!(!output.status.success(), "{error}");
    assert!(error.contains("`0.0.0.0/33` in NO_PROXY is no host and no network"), "{error}");
    // What needs no proxy is not kept from going.
    let variables = [("http_proxy", "http//proxy:3128"), ("NO_PROXY", "0.0.0.0")];
    let (output, error, _) = lock(&demo, &variables);
    assert!(output.status.success(), "{error}");
}
