//! A bundle or a lock that was damaged or altered is refused, and what is wrong is named.

use std::fs::{self, File};
use std::io;

use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify::verify;
use bundle_format::archive::writer;
use bundle_format::layout::Layout;
use bundle_format::lock::CheckName;
use bundle_format::{BundlePath, Lock};

use crate::support::demo::Demo;

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
    let rpm = bundle
        .contents()
        .iter()
        .find(|content| content.path.to_string().contains("socat"))
        .unwrap();
    let content = bundle.read(&rpm.descriptor).unwrap();
    let place = bytes.windows(content.len()).position(|window| window == content).unwrap();
    bytes[place + 50] ^= 1;
    fs::write(demo.path("bad.tar"), &bytes).unwrap();
    let error = demo.fails(&["verify", "-q", "bad.tar"]);
    assert!(error.contains(&rpm.path.to_string()) && error.contains("1 of "), "{error}");
    let error = demo.fails(&["extract", "-C", "out", "bad.tar", &rpm.path.to_string()]);
    assert!(error.contains("socat"), "{error}");
    assert!(!demo.path("out").join(rpm.path.to_string()).exists());

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

/// The demo's bundle with another lock, and all digests as they must be then.
fn rewritten(demo: &Demo, change: impl FnOnce(&mut Lock), reorder: impl FnOnce(&mut Layout)) {
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let mut lock = bundle.lock().clone();
    change(&mut lock);
    let more: Vec<_> = bundle
        .contents()
        .iter()
        .filter(|file| matches!(file.path, BundlePath::Repodata { .. } | BundlePath::Sbom))
        .cloned()
        .collect();
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
fn the_bill_of_materials_of_another_bundle_is_refused() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    rewritten(&demo, |lock| lock.warnings.push("one more".to_owned()), |_| ());
    let error = demo.fails(&["verify", "-q", "other.tar"]);
    let said =
        "sbom.cdx.json: it is the bill of materials of another bundle: its `serialNumber` is";
    assert!(error.contains(said), "{error}");
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
        (|lock| lock.images[0].root.media_type = "text/html".into(), "of the type `text/html`"),
        (|lock| lock.images[0].platforms.clear(), "platforms are not those of the targets"),
        (|lock| drop(lock.images.remove(0)), "not one of its images"),
        (
            |lock| lock.sandbox_image = Some("r.io/pause:9".parse().unwrap()),
            "sandbox image r.io/pause:9",
        ),
        (|lock| lock.name = "../evil".to_owned(), "is not a valid name of a bundle"),
        (|lock| lock.rpms[0].target = "el7-x86_64".to_owned(), "no repository"),
        (|lock| lock.manifests[0].name = "../x".to_owned(), "is not a valid name of a manifest"),
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
        (|lock| lock.name = "../evil".to_owned(), "not a valid name of a bundle"),
        (|lock| lock.name = "other".to_owned(), "name is `other`, but the spec says `demo`"),
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
                    check: CheckName::Gpgcheck,
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
            "has another text than when the lock was made",
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
        (br#"{"lockVersion":3,"more":[]}"#, "it has version 3"),
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
