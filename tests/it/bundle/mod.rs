//! The whole way: spec, lock, bundle, and what becomes of a damaged one.

mod again;
mod damage;
mod ended_early;
mod parts;
mod repair;
mod sweep;

use std::fs;

use bundle_format::Lock;
use bundle_format::archive::reader::Bundle;

use crate::support::demo::{Demo, run_in};

#[test]
fn the_same_lock_gives_the_same_bytes_elsewhere_and_later() {
    let demo = Demo::start();
    demo.ok(&["build", "--quiet"]);
    let first = fs::read(demo.path("demo.tar")).unwrap();
    // Another folder, an empty cache, another name, another umask's files.
    let other = tempfile::tempdir().unwrap();
    for name in ["bundle.yaml", "bundle.yaml.lock.json"] {
        fs::copy(demo.path(name), other.path().join(name)).unwrap();
    }
    let output =
        run_in(other.path(), &other.path().join("x/cache"), &["build", "-q", "-o", "y.tar"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(first == fs::read(other.path().join("y.tar")).unwrap());
    // Nothing but what was asked for lies there.
    let mut names: Vec<String> = fs::read_dir(other.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["bundle.yaml", "bundle.yaml.lock.json", "x", "y.tar", "y.tar.sha256"]);
}

#[test]
fn a_second_build_transfers_no_blob_and_locked_notices_drift() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    let lock = fs::read(demo.path("bundle.yaml.lock.json")).unwrap();
    demo.ok(&["lock"]);
    assert!(lock == fs::read(demo.path("bundle.yaml.lock.json")).unwrap());
    demo.ok(&["build", "-q"]);
    let before = demo.upstream.requests();
    demo.ok(&["build", "-q", "--output", "again.tar"]);
    let after = demo.upstream.requests();
    assert_eq!((before.blobs, before.packages), (after.blobs, after.packages));
    assert!(fs::read(demo.path("demo.tar")).unwrap() == fs::read(demo.path("again.tar")).unwrap());
    demo.ok(&["build", "-q", "--locked", "--output", "locked.tar"]);

    // Another package in the lock than upstream has now.
    let text = String::from_utf8(lock).unwrap();
    let altered = text.replacen("\"kubernetes\": \"1.28.2\"", "\"kubernetes\": \"1.28.1\"", 1);
    fs::write(demo.path("bundle.yaml.lock.json"), altered).unwrap();
    let error = demo.fails(&["build", "-q", "--locked", "--output", "drift.tar"]);
    assert!(error.contains("~ kubernetes 1.28.1 -> 1.28.2"), "{error}");
    assert!(!demo.path("drift.tar").exists());
    // What is no package is told too.
    let altered = text.replacen("\"revision\": \"", "\"revision\": \"1", 1);
    assert!(altered != text);
    fs::write(demo.path("bundle.yaml.lock.json"), altered).unwrap();
    let error = demo.fails(&["build", "-q", "--locked", "--output", "drift.tar"]);
    assert!(error.contains("~ revision of repository el9-x86_64 os 1"), "{error}");
    assert!(error.contains("1 change, 0 B"), "{error}");
    // A changed spec asks for a new lock.
    demo.write_spec(&format!("{}\n# changed\n", demo.spec()));
    assert!(demo.fails(&["build", "-q"]).contains("run `bundler lock`"));
}

#[test]
fn what_is_in_it_can_be_seen_taken_out_and_compared() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let shown = demo.ok(&["inspect", "demo.tar"]);
    for words in [
        "kubernetes  1.28.2",
        "kubelet-1.28.2-150500.1.1.x86_64",
        "registry.k8s.io/pause:3.9",
        "plainHttp for 127.0.0.1:",
    ] {
        assert!(shown.contains(words), "{words}:\n{shown}");
    }
    let lock = fs::read_to_string(demo.path("bundle.yaml.lock.json")).unwrap();
    assert_eq!(demo.ok(&["inspect", "--json", "demo.tar"]), lock);
    let why = demo.ok(&["why", "libnetfilter_queue", "demo.tar"]);
    assert!(
        why.contains("conntrack-tools-1.4.7-2.el9.x86_64 requires libnetfilter_queue"),
        "{why}"
    );
    assert!(demo.ok(&["why", "pause"]).contains("kubeadm needs it: pause"));
    demo.fails(&["why", "nothing-of-the-kind"]);

    demo.ok(&["extract", "-C", "out", "--kind", "rpms", "demo.tar"]);
    let repomd = demo.path("out/rpms/el9-x86_64/repodata/repomd.xml");
    assert!(repomd.is_file() && !demo.path("out/keys").exists());
    assert!(demo.fails(&["extract", "-C", "out", "demo.tar"]).contains("exist already"));
    demo.fails(&["extract", "demo.tar", "../../etc/passwd"]);

    assert!(demo.ok(&["diff", "demo.tar", "demo.tar"]).starts_with("0 changes, 0 B"));
    demo.write_spec(&demo.spec().replace(
        "    repositories:",
        "    packages: [bash]\n    baseline: none\n    repositories:",
    ));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "-o", "more.tar"]);
    let difference = demo.ok(&["diff", "demo.tar", "more.tar"]);
    assert!(difference.contains("+ rpm el9-x86_64 bash.x86_64"), "{difference}");
}

#[test]
fn the_clusters_defaults_travel_along() {
    let demo = Demo::start();
    let spec = demo.spec();
    demo.ok(&["lock"]);
    let path = demo.path("bundle.yaml.lock.json");
    let without = fs::read_to_string(&path).unwrap();
    assert!(!without.contains("\n  \"cluster\""), "as locks were before there was such a key");
    demo.ok(&["build", "-q", "-o", "without.tar"]);

    let cluster = "cluster: {podCidr: 10.9.0.0/16, kubelet: {maxPods: 50}, ingressNodes: [a]}\n";
    demo.write_spec(&format!("{spec}{cluster}"));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    let shown = demo.ok(&["inspect", "demo.tar"]);
    for line in ["\ndefaults for the cluster file\n", "\n  podCidr: 10.9.0.0/16\n"] {
        assert!(shown.contains(line), "{shown}");
    }
    assert!(shown.contains("\n  kubelet: {\"maxPods\":50}\n"), "{shown}");
    let difference = demo.ok(&["diff", "without.tar", "demo.tar"]);
    assert!(difference.contains("+ cluster podCidr \"10.9.0.0/16\"\n"), "{difference}");
    let lock = Bundle::open(&demo.path("demo.tar")).unwrap().lock().clone();
    assert_eq!(lock.cluster.cluster().pod_cidr.to_string(), "10.9.0.0/16");
    assert!(!lock.cluster.has("serviceCidr"));
    let parsed = Lock::parse(fs::read(&path).unwrap()).unwrap();
    assert_eq!(parsed.cluster, lock.cluster);

    let pool = "url: URL/manifests/calico.yaml\n    patches: [{poolCidr: 10.8.0.0/16}]";
    demo.write_spec(&format!("{}{cluster}", spec.replace("url: URL/manifests/calico.yaml", pool)));
    let error = demo.fails(&["lock"]);
    assert!(error.contains("pool 10.8.0.0/16, but cluster.podCidr is 10.9.0.0/16"), "{error}");
}

#[test]
fn bad_specs_and_unsolvable_ones_leave_nothing_behind() {
    let demo = Demo::start();
    let spec = demo.spec();
    let cases = [
        (spec.replace("version: 1.6.25", "version: 1.6.99"), "containerd.io = 1.6.99"),
        (spec.replace("version: 1.28.2", "version: 1.28.99"), "kubelet = 1.28.99"),
        (spec.replace("URL/manifests/calico.yaml", "URL/nowhere.yaml"), "404"),
        (spec.replace("family: el9", "family: el7").replace("1.28.2", "1.32.0"), "before 4.19"),
        (spec.replace("    plainHttp: the demo's registry is on this machine\n", "    mirrors: []\n"), "plainHttp"),
        (spec.replace("name: demo", "nam: demo"), "unknown field"),
        (spec.replace("kubernetes/repodata/repomd.xml.key", "os/repodata/repomd.xml.key"), "the keys given are"),
        (spec.replace("- name: calico", "- name: calico\n    sha256: '0000000000000000000000000000000000000000000000000000000000000000'"), "upstream or somebody on the way changed"),
    ];
    for (spec, words) in cases {
        demo.write_spec(&spec);
        let error = demo.fails(&["lock"]);
        assert!(error.contains(words), "{words}:\n{error}");
        assert!(!demo.path("bundle.yaml.lock.json").exists());
    }
    for place in ["URL/os/repodata/repomd.xml.key", "URL/os/", "URL/manifests/calico.yaml"] {
        let secret = place.replace("URL", &demo.upstream.url().replace("//", "//bob:hunter2@"));
        demo.write_spec(&spec.replacen(place, &secret, 1));
        for command in ["lock", "build"] {
            let error = demo.fails(&[command]);
            assert!(error.contains("a user or a password"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}

#[test]
fn init_writes_a_spec_that_reads_and_schema_is_json() {
    let demo = Demo::start();
    demo.ok(&["init", "new.yaml"]);
    bundler::spec::SpecFile::read(&demo.path("new.yaml")).unwrap();
    let error = demo.fails(&["init", "new.yaml"]);
    assert!(error.contains("exists already and stays as it is"), "{error}");
    let schema: serde_json::Value = serde_json::from_str(&demo.ok(&["schema"])).unwrap();
    assert!(schema["properties"]["kubernetes"].is_object());
    assert_eq!(demo.run(&["build", "--split", "4X"]).status.code(), Some(2));
}

/// All files below a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(walk(&entry.path())),
            _ => files.push(entry.path()),
        }
    }
    files
}
