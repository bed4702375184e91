//! `--offline`: what was read before is enough.

use std::fs;
use std::path::{Path, PathBuf};

use bundle_format::Lock;

use super::{LOCK, status};
use crate::support::demo::{Demo, run_in};

#[test]
fn without_a_network_the_cache_answers() {
    let demo = Demo::start();
    let offline = ["lock", "--offline"];
    // All that is missing is told at once.
    let error = demo.fails(&offline);
    for name in [
        "/os/repodata/repomd.xml.key is not in the cache, and --offline does not use the network",
        "/kubernetes/repodata/repomd.xml.key",
        "/docker-ce/repodata/repomd.xml.key",
        "/os/repodata/repomd.xml is",
        "/kubernetes/repodata/repomd.xml is",
        "/docker-ce/repodata/repomd.xml is",
        "/manifests/calico.yaml is",
        "/manifests/ingress-nginx.yaml is",
        "/v2/kube-apiserver/manifests/v1.28.2 is",
        "/v2/pause/manifests/3.9 is",
        "/v2/coredns/coredns/manifests/",
    ] {
        assert!(error.contains(name), "{name}\n{error}");
    }
    assert!(!demo.path(LOCK).exists());
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    let online = fs::read(demo.path(LOCK)).unwrap();

    // The upstream is gone for good.
    let Demo { upstream, folder } = demo;
    let url = upstream.url().to_owned();
    drop(upstream);
    let root: PathBuf = folder.path().to_owned();
    let run = |arguments: &[&str]| status(&run_in(&root, &root.join("cache"), arguments));
    fs::remove_file(root.join(LOCK)).unwrap();
    let (code, said) = run(&offline);
    assert_eq!(code, 0, "{said}");
    assert_eq!(fs::read(root.join(LOCK)).unwrap(), online);
    assert_eq!(run(&["lock", "--check", "--offline"]).0, 0);
    assert_eq!(run(&["lock", "--offline", "--upgrade", "kubernetes"]).0, 0);
    assert_eq!(fs::read(root.join(LOCK)).unwrap(), online);
    let (code, said) = run(&["build", "-q", "--offline", "-o", "again.tar"]);
    assert_eq!(code, 0, "{said}");
    assert!(fs::read(root.join("again.tar")).unwrap() == fs::read(root.join("demo.tar")).unwrap());

    // Blobs that are missing are all told, too.
    let lock = Lock::parse(&online).unwrap();
    let lost: Vec<_> =
        lock.rpms.iter().filter(|rpm| rpm.source.scheme() == "http").take(3).collect();
    for rpm in &lost {
        fs::remove_file(root.join("cache/kubeferry/blobs/sha256").join(rpm.digest.hex())).unwrap();
    }
    let (code, said) = run(&["build", "-q", "--offline", "-o", "more.tar"]);
    assert_eq!(code, 1);
    assert!(lost.iter().all(|rpm| said.contains(rpm.source.as_str())), "{said}");
    assert!(said.contains("--offline does not use the network"), "{said}");

    // A note of another URL, or damage, is nothing that was read.
    for note in fs::read_dir(root.join("cache/kubeferry/documents")).unwrap() {
        let path = note.unwrap().path();
        if fs::read_to_string(&path).unwrap().contains("calico.yaml") {
            fs::write(path, "{").unwrap();
        }
    }
    let (code, said) = run(&offline);
    assert!(code == 1 && said.contains(&format!("{url}/manifests/calico.yaml")), "{said}");
    assert!(!said.contains("ingress-nginx"), "{said}");
    assert!(Path::new(&root.join(LOCK)).exists());
}
