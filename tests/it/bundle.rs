//! The whole way: spec, lock, bundle, and what becomes of a damaged one.

use std::fs::{self, File};
use std::io;

use bundle_format::Lock;
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify::verify;
use bundle_format::archive::writer;
use bundle_format::layout::Layout;

use crate::support::demo::{self, Demo, run_in};

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
fn every_altered_byte_is_noticed() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let good = fs::read(demo.path("demo.tar")).unwrap();
    let path = demo.path("altered.tar");
    let is_good = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Bundle::open(&path).is_ok_and(|bundle| verify(&bundle, |_| {}).problems.is_empty())
    };
    assert!(is_good(&good));
    let step = good.len() / 400 + 1;
    for offset in (0..good.len()).step_by(step).chain(0..700).chain(good.len() - 1100..good.len()) {
        let mut altered = good.clone();
        altered[offset] ^= 0x10;
        assert!(!is_good(&altered), "byte {offset} of {}", good.len());
    }
    for length in (0..good.len()).step_by(step) {
        assert!(!is_good(&good[..length]), "cut to {length}");
    }
    assert!(!is_good(&[&good[..], &[0; 512]].concat()));
}

#[test]
fn damage_is_named_and_other_files_are_called_what_they_are() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let mut bytes = fs::read(demo.path("demo.tar")).unwrap();
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let rpm = bundle.contents().iter().find(|content| content.title.contains("socat")).unwrap();
    let content = bundle.read(&rpm.descriptor).unwrap();
    let place = bytes.windows(content.len()).position(|window| window == content).unwrap();
    bytes[place + 50] ^= 1;
    fs::write(demo.path("bad.tar"), &bytes).unwrap();
    let error = demo.fails(&["verify", "-q", "bad.tar"]);
    assert!(error.contains(rpm.title.as_str()) && error.contains("1 of "), "{error}");
    let error = demo.fails(&["extract", "-C", "out", "bad.tar", &rpm.title]);
    assert!(error.contains("socat"), "{error}");
    assert!(!demo.path("out").join(&rpm.title).exists());

    let cases: [(&[u8], &str); 5] = [
        (b"", "it is empty"),
        (&[0x1f, 0x8b, 8, 0], "compressed with gzip"),
        (&[&[0x1f, 0x8b, 8][..], &[7; 600]].concat(), "compressed with gzip"),
        (&[b"<html>".as_slice(), &[b' '; 600]].concat(), "web page"),
        (&[0; 2048], "begins with zeros"),
    ];
    for (bytes, words) in cases {
        fs::write(demo.path("other.tar"), bytes).unwrap();
        let error = demo.fails(&["verify", "-q", "other.tar"]);
        assert!(error.contains(words), "{words}: {error}");
    }
    assert!(demo.fails(&["verify", "-q", "absent.tar"]).contains("absent.tar"));
}

#[test]
fn parts_stand_for_the_whole() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let whole = fs::read(demo.path("demo.tar")).unwrap();
    fs::create_dir(demo.path("stick")).unwrap();
    let size = (whole.len() / 3 + 1).to_string();
    let names = demo.ok(&["build", "-q", "--split", &size, "-o", "stick/demo.tar"]);
    let names: Vec<&str> = names.lines().collect();
    assert_eq!(
        names,
        ["stick/demo.tar.part01of03", "stick/demo.tar.part02of03", "stick/demo.tar.part03of03"]
    );
    let joined: Vec<u8> =
        names.iter().flat_map(|name| fs::read(demo.path(name)).unwrap()).collect();
    assert!(joined == whole);
    for name in ["stick/demo.tar", names[0], names[2]] {
        assert!(demo.ok(&["verify", "-q", name]).starts_with("good: "));
    }
    let sums = fs::read_to_string(demo.path("stick/demo.tar.sha256")).unwrap();
    assert_eq!(sums.lines().count(), 3);
    // A new cutting does not mix with the old one.
    let error = demo.fails(&["build", "-q", "--split", "1MiB", "-o", "stick/demo.tar"]);
    assert!(error.contains("part01of03"), "{error}");
    // Reordered, mixed and missing parts are named.
    let part = |number: usize| demo.path(names[number - 1]);
    fs::rename(part(2), demo.path("aside")).unwrap();
    let error = demo.fails(&["verify", "-q", "stick/demo.tar"]);
    assert!(error.contains("demo.tar.part02of03") && error.contains("missing"), "{error}");
    fs::copy(part(1), part(2)).unwrap();
    assert!(demo.fails(&["verify", "-q", "stick/demo.tar"]).contains("error"));
    fs::copy(part(1), demo.path("stick/demo.tar.part01of02")).unwrap();
    assert!(demo.fails(&["verify", "-q", "stick/demo.tar"]).contains("several cuttings"));
}

#[test]
fn a_part_that_is_cut_short_or_another_is_named() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let whole = fs::read(demo.path("demo.tar")).unwrap();
    fs::write(demo.path("cut.tar"), &whole[..whole.len() / 2]).unwrap();
    let error = demo.fails(&["verify", "-q", "cut.tar"]);
    let words = "cut.tar ends in the middle of blobs/sha256/";
    assert!(error.contains(words) && error.contains("copy it again"), "{error}");
    fs::write(demo.path("cut.tar"), &whole[..whole.len() - 500]).unwrap();
    assert!(demo.fails(&["verify", "-q", "cut.tar"]).contains("the middle of its end mark"));

    let size = whole.len() / 3 + 1;
    let write = |contents: [&[u8]; 3]| {
        for (number, content) in (1..).zip(contents) {
            fs::write(demo.path(&format!("p.tar.part0{number}of03")), content).unwrap();
        }
    };
    let [a, b, c] = [&whole[..size], &whole[size..2 * size], &whole[2 * size..]];
    write([a, b, c]);
    // No part of anything: it is passed over.
    fs::write(demo.path("p.tar.part05of04"), "stray").unwrap();
    demo.ok(&["verify", "-q", "p.tar"]);
    for (contents, words) in [
        ([a, &b[..size - 1], c], "p.tar.part02of03 has "),
        ([a, b, &c[..c.len() - 1]], "p.tar.part03of03 ends in the middle of"),
        ([b, a, c], "p.tar.part01of03 is not a bundle"),
        ([a, c, b], "p.tar.part02of03 has "),
        ([a, a, c], "p.tar.part02of03"),
    ] {
        write(contents);
        let error = demo.fails(&["verify", "-q", "p.tar"]);
        assert!(error.contains(words), "{words}: {error}");
    }
}

/// The demo's bundle with another lock, and all digests as they must be then.
fn rewritten(demo: &Demo, change: impl FnOnce(&mut Lock), reorder: impl FnOnce(&mut Layout)) {
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let mut lock = bundle.lock().clone();
    change(&mut lock);
    let is_repodata = |title: &str| title.contains("/repodata/");
    let more: Vec<_> =
        bundle.contents().iter().filter(|file| is_repodata(&file.title)).cloned().collect();
    let mut layout = Layout::new(&lock, &more).unwrap();
    reorder(&mut layout);
    let mut out = File::create(demo.path("other.tar")).unwrap();
    let open = |blob: &bundle_format::lock::Descriptor| {
        let there = bundle.open_blob(blob);
        // A size that is a lie has nothing behind it.
        let reader: Box<dyn io::Read + '_> = match there {
            Ok(reader) => Box::new(reader),
            Err(_) => Box::new(io::repeat(0)),
        };
        Ok(reader)
    };
    writer::write(&mut out, &layout, open, |_| ()).unwrap();
}

#[test]
fn a_bundle_whose_lock_tells_other_things_is_refused() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    rewritten(&demo, |_| (), |_| ());
    assert!(fs::read(demo.path("demo.tar")).unwrap() == fs::read(demo.path("other.tar")).unwrap());
    type Change = fn(&mut Lock);
    let cases: [(Change, &str); 13] = [
        (
            |lock| lock.cluster = serde_json::from_str(r#"{"podCidr":"10.96.0.0/16"}"#).unwrap(),
            "its cluster: podCidr 10.96.0.0/16 and serviceCidr",
        ),
        (|lock| drop(lock.images[0].platforms[0].layers.pop()), "other layers than the lock"),
        (
            |lock| lock.images[0].platforms[0].config = lock.images[1].platforms[0].config.clone(),
            "another configuration",
        ),
        (
            |lock| lock.images[0].platforms = lock.images[1].platforms.clone(),
            "image docker.io/calico/cni:v3.26.4: ",
        ),
        (|lock| lock.images[0].root.media_type = "text/html".to_owned(), "of the type `text/html`"),
        (|lock| lock.images[0].platforms.clear(), "platforms are not those of the targets"),
        (|lock| drop(lock.images.remove(0)), "none of its images"),
        (
            |lock| lock.sandbox_image = Some("r.io/pause:9".parse().unwrap()),
            "sandbox image r.io/pause:9",
        ),
        (|lock| lock.name = "../evil".to_owned(), "is none of a bundle"),
        (|lock| lock.rpms[0].target = "el7-x86_64".to_owned(), "no repository"),
        (|lock| lock.manifests[0].name = "../x".to_owned(), "is none of a manifest"),
        (
            |lock| lock.rpms[0].source = "https://u:hunter2@a.io/".parse().unwrap(),
            "a user or a password",
        ),
        (|lock| lock.targets[0].baseline = "\u{1b}[2J".to_owned(), "control character"),
    ];
    for (change, words) in cases {
        rewritten(&demo, change, |_| ());
        let error = demo.fails(&["verify", "-q", "other.tar"]);
        assert!(error.contains(words), "{words}: {error}");
        assert!(!error.contains("hunter2") && !error.contains('\u{1b}'), "{error}");
    }
    rewritten(
        &demo,
        |_| (),
        |layout| {
            let last = layout.blobs.len() - 1;
            layout.blobs.swap(last, last - 1);
        },
    );
    assert!(demo.fails(&["inspect", "other.tar"]).contains("in another order"));
}

#[test]
fn a_lock_that_was_edited_is_refused_where_it_leaves_the_spec() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let path = demo.path("bundle.yaml.lock.json");
    let good = fs::read(&path).unwrap();
    type Change = fn(&mut Lock);
    let cases: [(Change, &str); 15] = [
        (
            |lock| lock.cluster = serde_json::from_str(r#"{"podCidr":"10.9.0.0/16"}"#).unwrap(),
            "cluster is not what the spec says",
        ),
        (|lock| lock.name = "../evil".to_owned(), "none of a bundle"),
        (|lock| lock.name = "other".to_owned(), "name is `other`, and the spec says `demo`"),
        (|lock| lock.targets.clear(), "no repository `os` of a target `el9-x86_64`"),
        (|lock| lock.rpms.retain(|rpm| rpm.package.name != "kubelet"), "no package kubelet 1.28.2"),
        (
            |lock| lock.rpms.retain(|rpm| rpm.package.name != "containerd.io"),
            "no package containerd.io 1.6.25",
        ),
        (
            |lock| {
                lock.sandbox_image = Some(lock.images[0].name.clone());
            },
            "sandboxImage is",
        ),
        (
            |lock| {
                lock.manifests[0].images.clear();
                lock.images.retain(|image| !image.name.repository().starts_with("calico/"));
            },
            "names other images than the lock",
        ),
        (
            |lock| lock.images.retain(|image| !image.name.repository().ends_with("etcd")),
            "image registry.k8s.io/etcd:3.5.9-0 is not there",
        ),
        (|lock| lock.disabled_checks.clear(), "disabledChecks"),
        (
            |lock| {
                lock.disabled_checks.push(bundle_format::lock::DisabledCheck {
                    check: "gpgcheck".to_owned(),
                    subject: "el9-x86_64/os".to_owned(),
                    reason: "me".to_owned(),
                });
            },
            "disabledChecks",
        ),
        (|lock| lock.files.clear(), "the key keys/el9-x86_64/os-1.asc is not there"),
        (|lock| drop(lock.images[0].platforms[0].layers.pop()), "other layers than the lock"),
        (
            |lock| lock.manifests[0].applied = lock.manifests[1].applied.clone(),
            "gives another text than when the lock was made",
        ),
        (|lock| lock.rpms[0].size = u64::MAX, "more than any disk holds"),
    ];
    for (change, words) in cases {
        let mut lock = Lock::parse(&good).unwrap();
        change(&mut lock);
        fs::write(&path, bundle_format::layout::lock_bytes(&lock).unwrap()).unwrap();
        let error = demo.fails(&["build", "-q", "-o", "edited.tar"]);
        assert!(error.contains(words) && error.contains("run `bundler lock`"), "{words}: {error}");
        assert!(!demo.path("edited.tar").exists(), "{words}");
    }
    // What is no lock is told, and not waited for.
    let cases: [(&[u8], &str); 3] = [
        (&[b"\xef\xbb\xbf", good.as_slice()].concat(), "byte order mark"),
        (br#"{"lockVersion":2,"more":[]}"#, "it has version 2"),
        (b"", "EOF"),
    ];
    for (bytes, words) in cases {
        fs::write(&path, bytes).unwrap();
        let error = demo.fails(&["why", "kubelet"]);
        assert!(error.contains(words), "{words}: {error}");
    }
    fs::remove_file(&path).unwrap();
    for name in ["bundle.yaml.lock.json", "fifo.tar"] {
        let made = std::process::Command::new("mkfifo").arg(demo.path(name)).status().unwrap();
        assert!(made.success());
    }
    assert!(demo.fails(&["build", "-q"]).contains("not a regular file"));
    assert!(demo.fails(&["verify", "-q", "fifo.tar"]).contains("not a regular file"));
}

#[test]
fn a_damaged_blob_in_the_cache_is_fetched_again() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let lock = Lock::parse(&fs::read(demo.path("bundle.yaml.lock.json")).unwrap()).unwrap();
    let image = &lock.images[0];
    for digest in [
        lock.files[0].content.digest,
        lock.manifests[0].upstream.digest,
        image.root.digest,
        image.platforms[0].manifest.digest,
        image.platforms[0].layers[0].digest,
        lock.rpms[0].digest,
    ] {
        let path = demo.path("cache/kubeferry/blobs/sha256").join(digest.hex());
        let size = fs::metadata(&path).unwrap().len();
        fs::write(&path, vec![0xff; usize::try_from(size).unwrap()]).unwrap();
    }
    demo.ok(&["build", "-q", "-o", "again.tar"]);
    assert!(fs::read(demo.path("demo.tar")).unwrap() == fs::read(demo.path("again.tar")).unwrap());
}

#[test]
fn a_bundle_in_parts_is_built_again_whatever_a_kill_left() {
    let demo = Demo::start();
    fs::create_dir(demo.path("stick")).unwrap();
    demo.ok(&["build", "-q"]);
    let size = (fs::metadata(demo.path("demo.tar")).unwrap().len() / 3 + 1).to_string();
    let build = || demo.ok(&["build", "-q", "--split", &size, "-o", "stick/demo.tar"]);
    let first = build();
    let state = || {
        let mut files: Vec<_> = walk(&demo.path("stick"))
            .into_iter()
            .map(|path| (fs::read(&path).unwrap(), path))
            .collect();
        files.sort_by(|a, b| a.1.cmp(&b.1));
        files
    };
    let good = state();
    assert_eq!(good.len(), 4);
    assert_eq!(build(), first);
    assert!(state() == good);
    // Killed between two renames.
    let at = |name: &str| demo.path("stick").join(name);
    fs::rename(at("demo.tar.part01of03"), at(".demo.tar.partial")).unwrap();
    fs::rename(at("demo.tar.part03of03"), at(".demo.tar.partial.part03of03")).unwrap();
    fs::remove_file(at("demo.tar.sha256")).unwrap();
    build();
    assert!(state() == good);
    // Killed in the middle of the cutting, and in that of the sidecar.
    fs::write(at(".demo.tar.partial"), b"whole").unwrap();
    fs::write(at(".demo.tar.partial.part07of09"), b"a part").unwrap();
    fs::write(at(".demo.tar.sha256.partial"), b"sums").unwrap();
    build();
    assert!(state() == good);
}

#[test]
fn a_place_that_cannot_hold_a_bundle_is_refused_before_anything_is_fetched() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    fs::create_dir(demo.path("folder")).unwrap();
    std::os::unix::fs::symlink("bundle.yaml", demo.path(".planted.tar.partial")).unwrap();
    let before = demo.upstream.requests();
    for (output, words) in [
        ("folder", "it is a folder; name a file in it"),
        ("/dev/null", "no regular file"),
        ("new/", "name a file in it, such as new/NAME"),
        ("absent/x.tar", "absent/x.tar"),
        ("planted.tar", "symbolic link"),
    ] {
        let error = demo.fails(&["build", "-q", "-o", output]);
        assert!(error.contains(words), "{output}: {error}");
    }
    let after = demo.upstream.requests();
    assert_eq!((before.blobs, before.packages), (after.blobs, after.packages));
    // A failure leaves nothing there.
    assert!(!demo.path(".folder.partial").exists() && demo.spec().contains("name: demo"));
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
    assert!(demo.fails(&["extract", "-C", "out", "demo.tar"]).contains("there already"));
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
    let parsed = Lock::parse(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(parsed.cluster, lock.cluster);

    let pool = "url: URL/manifests/calico.yaml\n    patches: [{poolCidr: 10.8.0.0/16}]";
    demo.write_spec(&format!("{}{cluster}", spec.replace("url: URL/manifests/calico.yaml", pool)));
    let error = demo.fails(&["lock"]);
    assert!(error.contains("pool 10.8.0.0/16, and cluster.podCidr is 10.9.0.0/16"), "{error}");
}

#[test]
fn bad_specs_and_unsolvable_ones_leave_nothing_behind() {
    let demo = Demo::start();
    let spec = demo.spec();
    let cases = [
        (spec.replace("version: 1.6.25", "version: 1.6.99"), "containerd.io = 1.6.99"),
        (spec.replace("version: 1.28.2", "version: 1.28.99"), "images of kubeadm 1.28.99"),
        (spec.replace("URL/manifests/calico.yaml", "URL/nowhere.yaml"), "404"),
        (spec.replace("family: el9", "family: el7").replace("1.28.2", "1.32.0"), "before 4.19"),
        (spec.replace("    plainHttp: the demo's registry is on this machine\n", "    mirrors: []\n"), "plainHttp"),
        (spec.replace("name: demo", "nam: demo"), "unknown field"),
        (spec.replace("kubernetes/repodata/repomd.xml.key", "os/repodata/repomd.xml.key"), "the keys given are"),
        (spec.replace("- name: calico", "- name: calico\n    sha256: '0000000000000000000000000000000000000000000000000000000000000000'"), "upstream changed it"),
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
    assert!(error.contains("is there already and stays as it is"), "{error}");
    let schema: serde_json::Value = serde_json::from_str(&demo.ok(&["schema"])).unwrap();
    assert!(schema["properties"]["kubernetes"].is_object());
    assert_eq!(demo.run(&["build", "--split", "4X"]).status.code(), Some(2));
}

#[test]
fn a_build_that_was_killed_is_taken_up_again() {
    let demo = Demo::of(upstream::Upstream::start_with_large_image(96).unwrap());
    let host = demo.upstream.host().to_owned();
    let spec = demo
        .spec()
        .replace("registries:\n", &format!("images: [\"{host}/large:latest\"]\nregistries:\n"));
    demo.write_spec(&spec);
    demo.ok(&["lock"]);
    let mut killed = 0;
    // Each round lets a little more come before the kill; the last runs free.
    for wanted in [1, 30, 60, 95] {
        let mut process = std::process::Command::new(demo::BUNDLER)
            .args(["build", "-q"])
            .current_dir(demo.folder.path())
            .env("XDG_CACHE_HOME", demo.path("cache"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let fetched = || -> u64 {
            walk(&demo.path("cache"))
                .iter()
                .map(|path| fs::metadata(path).map_or(0, |file| file.len()))
                .sum()
        };
        while process.try_wait().unwrap().is_none() && fetched() < wanted << 20 {
            std::thread::yield_now();
        }
        if process.try_wait().unwrap().is_none() {
            process.kill().unwrap();
            killed += 1;
        }
        process.wait().unwrap();
    }
    assert!(killed > 0, "every build was done before it could be killed");
    demo.ok(&["build", "-q"]);
    assert!(demo.ok(&["verify", "-q", "demo.tar"]).starts_with("good: "));
    let left: Vec<_> = fs::read_dir(demo.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("partial"))
        .collect();
    assert_eq!(left, [] as [String; 0]);
    assert_eq!(walk(&demo.path("cache/kubeferry/partial")).len(), 0);
}

/// A disk that is too small, or becomes it, ends a build with its path and what it
/// needs, in little memory, and before anything is fetched for it.
#[test]
fn a_full_disk_ends_a_build_at_once() {
    let demo = Demo::of(upstream::Upstream::start_with_large_image(96).unwrap());
    let host = demo.upstream.host().to_owned();
    demo.write_spec(
        &demo
            .spec()
            .replace("registries:\n", &format!("images: [\"{host}/large:latest\"]\nregistries:\n")),
    );
    demo.ok(&["lock"]);
    let build = |limits: &str, output: &str| {
        let script = format!("trap '' XFSZ; ulimit {limits} && exec \"$0\" build -q -o {output}");
        let output = std::process::Command::new("bash")
            .args(["-c", &script, demo::BUNDLER])
            .current_dir(demo.folder.path())
            .env("XDG_CACHE_HOME", demo.path("cache"))
            .env("HOME", demo.folder.path())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let before = demo.upstream.requests();
    let folder = demo.path("small");
    fs::create_dir(&folder).unwrap();
    let mount = ["-t", "tmpfs", "-o", "size=8m", "none"];
    let mounted = std::process::Command::new("mount").args(mount).arg(&folder).output();
    if mounted.is_ok_and(|output| output.status.success()) {
        let (done, error) = build("-v 2000000", "small/a.tar");
        assert!(std::process::Command::new("umount").arg(&folder).status().unwrap().success());
        let words = "error: writing small/a.tar\n  caused by: small has 8.00 MiB free, and 96.";
        assert!(!done && error.contains(words), "{error}");
        assert_eq!(demo.upstream.requests().blobs, before.blobs, "fetched for nothing");
    } else {
        println!("skipped: no tmpfs can be mounted here");
    }
    demo.ok(&["build", "-q", "-o", "whole.tar"]);
    // In the midst of writing; the limits are in kilobytes.
    let (done, error) = build("-v 2000000 -f 50000", "b.tar");
    assert!(!done && error.contains("writing .b.tar.partial, of 96."), "{error}");
    assert!(!demo.path("b.tar").exists() && !demo.path(".b.tar.partial").exists());
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
