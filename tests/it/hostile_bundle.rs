//! Bundles that somebody has made to do harm: whatever they hold, opening one
//! takes time that goes with its size and little memory, says what is wrong, and
//! moves no cursor.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify::verify;
use bundle_format::archive::writer;
use bundle_format::layout::{BUNDLE_TYPE, Content, LOCK_TYPE, Layout, lock_bytes};
use bundle_format::lock::{
    CheckName, Descriptor, DisabledCheck, Edit, FileKind, Lock, LockedImage, LockedRpm,
};
use bundle_format::oci::OCI_MANIFEST;
use bundle_format::sbom::serial_number;
use bundle_format::text::is_hidden;
use bundle_format::{BundlePath, Digest, Nevra};
use serde_json::json;

use crate::support::demo::{BUNDLER, Demo};

/// All that a terminal obeys, that hides, or that forges a line.
pub(crate) const HOSTILE: &str =
    "x\u{1b}[2J\u{1b}]0;t\u{7}\r\u{9b}31m\u{7f}\u{202e}\u{2066}\u{2028}\u{200b}y";

pub(crate) fn described(media_type: &str, bytes: &[u8]) -> Descriptor {
    let (digest, size) = (Digest::of(bytes), bytes.len() as u64);
    Descriptor { media_type: media_type.to_owned().into(), digest, size }
}

/// The demo's bundle with a changed lock. All digests fit that lock, and the blobs
/// of `more` are added. The bill of materials says that it is of that lock.
pub(crate) fn rewritten(demo: &Demo, change: impl FnOnce(&mut Lock), more: &[Vec<u8>]) {
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let mut lock = bundle.lock().clone();
    change(&mut lock);
    let is_made = |file: &&Content| match &file.path {
        BundlePath::Hop { path, .. } => matches!(**path, BundlePath::Repodata { .. }),
        path => matches!(path, BundlePath::Repodata { .. } | BundlePath::Sbom),
    };
    let mut made: Vec<_> = bundle.contents().iter().filter(is_made).cloned().collect();
    let own = serial_number(Digest::of(&lock_bytes(&lock).unwrap()));
    let bill =
        format!("{{\"bomFormat\": \"CycloneDX\", \"serialNumber\": \"{own}\"}}").into_bytes();
    if let Some(file) = made.iter_mut().find(|file| file.path == BundlePath::Sbom) {
        file.descriptor = described(&file.descriptor.media_type, &bill);
    }
    let layout = Layout::new(&lock, &made).unwrap();
    let open = |blob: &Descriptor| -> io::Result<Box<dyn Read + '_>> {
        if let Some(bytes) =
            more.iter().chain([&bill]).find(|bytes| Digest::of(bytes) == blob.digest)
        {
            return Ok(Box::new(Cursor::new(bytes)));
        }
        Ok(match bundle.open_blob(blob) {
            Ok(reader) => Box::new(reader),
            Err(_) => Box::new(io::repeat(0)),
        })
    };
    writer::write(&mut File::create(demo.path("other.tar")).unwrap(), &layout, open, |_| ())
        .unwrap();
}

fn shown(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(text).unwrap()
}

/// Runs `bundler` with 256 MB for all its data, so that more ends it otherwise
/// than by its own error.
fn within_bounds(folder: &std::path::Path, arguments: &[&str]) -> Output {
    within(256, folder, arguments)
}

/// The same for another number of megabytes.
fn within(megabytes: u64, folder: &std::path::Path, arguments: &[&str]) -> Output {
    let begun = Instant::now();
    let limited = format!("ulimit -d {} && exec \"$@\"", megabytes << 10);
    let output = Command::new("sh")
        .args(["-c", &limited, "sh", BUNDLER])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    // Some machines are slow, and none is as slow as what is not linear.
    assert!(begun.elapsed() < Duration::from_secs(60), "{arguments:?}: {:?}", begun.elapsed());
    output
}

/// An archive of an index, a bundle manifest and a lock as they are.
fn archive(path: &std::path::Path, index: Vec<u8>, documents: Vec<(Descriptor, Vec<u8>)>) {
    let blobs = documents.iter().map(|(blob, _)| blob.clone()).collect();
    let layout = Layout { index, documents, blobs, absent: Vec::new() };
    let open = |_: &Descriptor| Ok(io::empty());
    writer::write(&mut File::create(path).unwrap(), &layout, open, |_| ()).unwrap();
}

/// The same where only the lock and the titles are given.
fn bundle_of(path: &std::path::Path, lock: Vec<u8>, titles: &[String]) {
    let lock_blob = described(LOCK_TYPE, &lock);
    let layer = |title: &String| {
        json!({"mediaType": "a/b", "digest": Digest::of(b""), "size": 0,
            "annotations": {"org.opencontainers.image.title": title}})
    };
    let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "artifactType": BUNDLE_TYPE, "config": lock_blob,
        "layers": titles.iter().map(layer).collect::<Vec<_>>()});
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let manifest_blob = described(OCI_MANIFEST, &manifest);
    let mut entry = serde_json::to_value(&manifest_blob).unwrap();
    entry["artifactType"] = BUNDLE_TYPE.into();
    let index = json!({"schemaVersion": 2, "mediaType": "x", "manifests": [entry]});
    let documents = vec![(lock_blob, lock), (manifest_blob, manifest)];
    archive(path, serde_json::to_vec(&index).unwrap(), documents);
}

#[test]
fn a_large_bill_of_materials_is_in_memory_once() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let content = bundle.sbom().unwrap();
    let mut bill = Vec::new();
    bundle.open_blob(&content.descriptor).unwrap().read_to_end(&mut bill).unwrap();
    bill.resize(60 << 20, b' ');
    let large = described(&content.descriptor.media_type, &bill);
    let of = |file: &&Content| matches!(file.path, BundlePath::Repodata { .. });
    let mut made: Vec<_> = bundle.contents().iter().filter(of).cloned().collect();
    made.push(Content { path: BundlePath::Sbom, descriptor: large.clone() });
    let layout = Layout::new(bundle.lock(), &made).unwrap();
    let open = |blob: &Descriptor| -> io::Result<Box<dyn Read + '_>> {
        Ok(match blob.digest == large.digest {
            true => Box::new(Cursor::new(&bill)),
            false => Box::new(bundle.open_blob(blob).map_err(io::Error::other)?),
        })
    };
    let mut file = File::create(demo.path("other.tar")).unwrap();
    writer::write(&mut file, &layout, open, |_| ()).unwrap();
    // Two copies would be more.
    let output = within(100, demo.folder.path(), &["sbom", "other.tar"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout == bill);
}

#[test]
fn size_depth_and_number_are_bounded() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    let lock = fs::read_to_string(demo.path("bundle.yaml.lock.json")).unwrap();
    let path = demo.path("big.tar");
    let repomd = ["rpms/el9-x86_64/repodata/repomd.xml".to_owned()];
    let with = |field: &str, value: &str| {
        let mut json: serde_json::Value = serde_json::from_str(&lock).unwrap();
        json[field] = "HERE".into();
        bundle_of(&path, json.to_string().replacen("\"HERE\"", value, 1).into_bytes(), &repomd);
    };
    let refused = |what: &str, words: &str| {
        let output = within_bounds(demo.folder.path(), &["verify", "-q", "big.tar"]);
        let text = shown(&output);
        assert_eq!(output.status.code(), Some(1), "{what}: {}", output.status);
        assert!(text.starts_with("error: ") && text.contains(words), "{what}: {text}");
        assert!(text.len() < 60_000, "{what}: {} bytes", text.len());
    };
    let many = |one: &str, count: usize| format!("[{}]", vec![one; count].join(","));

    archive(&path, vec![b' '; 64 << 20], Vec::new());
    refused("a large index", "no such document has more than");
    archive(&path, [br#"{"manifests":["#.as_slice(), &vec![b'['; 4 << 20]].concat(), Vec::new());
    refused("a nested index", "makes no sense");
    bundle_of(&path, vec![b'['; 64 << 20], &[]);
    refused("a large lock", "no such document has more than");
    with("warnings", &many("\"\"", 3_000_000));
    refused("a lock of empty texts", "more than 1000000 values");
    // As much as is read: it ends where the index is made anew, which differs.
    with("warnings", &many("\"\"", 990_000));
    refused("many empty texts", "its index does not fit its lock");
    with("warnings", &format!("[\"{}\"]", "x".repeat(30 << 20)));
    refused("one text", "its index does not fit its lock");
    let layers = many(
        r#"{"mediaType":"","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0}"#,
        120_000,
    );
    let whole = lock.clone();
    let start = whole.find("\"layers\": [").unwrap() + "\"layers\": ".len();
    let end = start + whole[start..].find(']').unwrap() + 1;
    bundle_of(&path, [&whole[..start], &layers, &whole[end..]].concat().into_bytes(), &repomd);
    refused("many layers", "its index does not fit its lock");
    with("warnings", &format!("[\"{}\\u0007\"]", "x".repeat(20 << 20)));
    refused("a lock of one text", "holds a control character");
    with("cluster", &format!("{{\"kubelet\": {{\"a\": {}}}}}", many("[]", 900_000)));
    refused("a lock of lists", "error: ");
    bundle_of(&path, lock.clone().into_bytes(), &["a/".repeat(3_000_000) + "a"]);
    refused("a title of a million folders", "deeper than any file");
    let titles: Vec<String> = (0..90_000).map(|number| format!("../{number}")).collect();
    bundle_of(&path, lock.clone().into_bytes(), &titles);
    refused("many bad titles", " more");
    let titles: Vec<String> =
        (0..9).map(|number| format!("{number}{}", "x".repeat(2 << 20))).collect();
    bundle_of(&path, lock.clone().into_bytes(), &titles[..7]);
    refused("long titles", "error: ");

    // Targets and repositories by the ten thousand.
    let mut changed = Lock::parse(lock.as_bytes()).unwrap();
    let target = changed.targets[0].clone();
    changed.targets = (0..9_000)
        .map(|number| {
            let family = format!("f{number}");
            let id = format!("{family}-x86_64");
            bundle_format::lock::LockedTarget { id, family, ..target.clone() }
        })
        .collect();
    bundle_of(&path, bundle_format::layout::lock_bytes(&changed).unwrap(), &[]);
    refused("many targets", "more than 64 targets");

    // Entries by the million, each of nothing.
    let blobs = (0..300_000_u32).map(|number| Descriptor {
        media_type: "".into(),
        digest: Digest::of(&number.to_le_bytes()),
        size: 0,
    });
    let layout = Layout {
        index: b"{}".to_vec(),
        documents: Vec::new(),
        blobs: blobs.collect(),
        absent: Vec::new(),
    };
    let mut out = io::BufWriter::new(File::create(&path).unwrap());
    writer::write(&mut out, &layout, |_: &Descriptor| Ok(io::empty()), |_| ()).unwrap();
    drop(out);
    refused("many entries", "more than 250000 entries");
}

#[test]
fn the_largest_bundle_that_anybody_makes_is_opened() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    rewritten(&demo, |lock| grow(&mut lock.rpms, &mut lock.images), &[]);
    let output = within_bounds(demo.folder.path(), &["inspect", "other.tar"]);
    assert!(output.status.success(), "{}", shown(&output));
    assert!(shown(&output).contains("image-1999:v1.2.3"));
}

#[test]
fn the_largest_hop_is_opened_too() {
    let Some(demo) = crate::hops::start() else { return };
    demo.ok(&["build", "-q"]);
    let largest = |lock: &mut Lock| {
        let hop = &mut lock.hops[0];
        grow(&mut hop.rpms, &mut hop.images);
    };
    rewritten(&demo, largest, &[]);
    let output = within_bounds(demo.folder.path(), &["inspect", "other.tar"]);
    assert!(output.status.success(), "{}", shown(&output));
    assert!(shown(&output).contains("image-1999:v1.2.3"));
}

/// As many packages and images as nobody has, with their reasons and layers.
fn grow(rpms: &mut Vec<LockedRpm>, images: &mut Vec<LockedImage>) {
    let (rpm, image) = (rpms[0].clone(), images[0].clone());
    for number in 0..15_000_u32 {
        let mut rpm = rpm.clone();
        rpm.package = format!("package-{number}-1.2.3-4.el9.x86_64").parse::<Nevra>().unwrap();
        (rpm.digest, rpm.size) = (Digest::of(&number.to_le_bytes()), 1);
        rpm.why = vec![rpm.why[0].clone(); 4];
        rpms.push(rpm);
    }
    for number in 0..2_000_u32 {
        let mut image = image.clone();
        image.name = format!("registry.example.com/team/image-{number}:v1.2.3").parse().unwrap();
        image.root.digest = Digest::of(format!("root {number}").as_bytes());
        let layer = image.platforms[0].layers[0].clone();
        image.platforms[0].layers = (0..10)
            .map(|of| {
                let digest = Digest::of(format!("layer {number} {of}").as_bytes());
                Descriptor { digest, size: 1, ..layer.clone() }
            })
            .collect();
        if image.platforms[0].manifest == image.root {
            image.platforms[0].manifest = image.root.clone();
        }
        images.push(image);
    }
}

#[test]
fn what_could_not_be_compared_is_not_good() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    // An image whose index is too large to read, and a lock that lies about it.
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let place =
        bundle.lock().images.iter().position(|image| image.root.media_type.contains("index"));
    let place = place.unwrap_or(0);
    let mut root = bundle.read(&bundle.lock().images[place].root).unwrap();
    root.resize(9 << 20, b' ');
    let blob = root.clone();
    rewritten(
        &demo,
        |lock| {
            let image = &mut lock.images[place];
            let whole = described(&image.root.media_type, &root);
            if image.platforms[0].manifest == image.root {
                image.platforms[0].manifest = whole.clone();
            }
            image.root = whole;
            image.platforms[0].layers.pop();
        },
        &[blob],
    );
    let error = demo.fails(&["verify", "-q", "other.tar"]);
    assert!(error.contains("could not be compared") && error.contains("do not use"), "{error}");

    // A thread that is lost had checked nothing.
    let verification = verify(&bundle, |_| panic!("a thread is lost"));
    assert_eq!(verification.problems.len(), verification.blobs);
    let report = verification.report().unwrap();
    assert!(report.contains("it could not be checked; run this again"), "{report}");
}

#[test]
fn a_name_is_of_one_image() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let of = |name: &str| {
        let found = bundle.lock().images.iter().find(|image| image.name.repository() == name);
        found.unwrap().clone()
    };
    let other = of("etcd").root.digest;
    let twice = |lock: &mut Lock| {
        let mut image = of("etcd");
        image.name = format!("registry.k8s.io/pause:3.9@{other}").parse().unwrap();
        lock.images.push(image);
    };
    rewritten(&demo, twice, &[]);
    let error = demo.fails(&["inspect", "other.tar"]);
    assert!(error.contains("registry.k8s.io/pause:3.9 would be two images: "), "{error}");
    // The same digest is no other image, and is extracted once.
    rewritten(
        &demo,
        |lock| {
            let mut image = of("pause");
            image.name =
                format!("registry.k8s.io/pause:3.9@{}", image.root.digest).parse().unwrap();
            lock.images.push(image);
        },
        &[],
    );
    demo.ok(&["extract", "-C", "images", "--kind", "images", "other.tar"]);
    assert!(demo.path("images/images/registry.k8s.io/pause/3.9.tar").is_file());

    // At lock it is said who asks for which: a tag, and one platform of it by digest.
    let is_index = |image: &&LockedImage| image.platforms[0].manifest != image.root;
    let image = bundle.lock().images.iter().find(is_index).unwrap();
    let (name, digest) = (&image.name, image.platforms[0].manifest.digest);
    let pinned = format!("images: [\"{name}@{digest}\"]\nregistries:\n");
    demo.write_spec(&demo.spec().replace("registries:\n", &pinned));
    let error = demo.fails(&["lock"]);
    let who = image.why[0].to_string();
    for words in [&who, "the spec asks for it: images[0]", "would be two images"] {
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn twins_and_checks_that_nobody_switched_off_are_refused() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    type Change = fn(&mut Lock);
    let cases: [(Change, &str); 14] = [
        (|lock| lock.targets[0].repositories[0].keys.clear(), "gpgcheck is not switched off"),
        (
            |lock| lock.targets[0].repositories[0].repomd_signed_by = None,
            "repoGpgcheck is not switched off",
        ),
        (
            |lock| lock.targets[0].repositories[0].repomd_signed_by = Some("ab".repeat(20)),
            "its metadata is signed with a key that is none of its keys",
        ),
        (|lock| lock.targets[0].repositories[0].keys = vec![String::new()], "is not a fingerprint"),
        (
            |lock| {
                lock.targets[0].repositories[0].keys.clear();
                lock.disabled_checks.push(off(CheckName::Gpgcheck, "el9-x86_64/os", " \n"));
            },
            "no reason is given",
        ),
        (
            |lock| {
                lock.targets[0].repositories[0].keys.clear();
                lock.disabled_checks.push(off(
                    CheckName::Gpgcheck,
                    "el9-x86_64/kubernetes",
                    "a test",
                ));
            },
            "repository el9-x86_64/os: it has no keys",
        ),
        (|lock| lock.files.retain(|file| file.kind != FileKind::Key), "-1.asc is not there"),
        (
            |lock| {
                let again = lock.targets[0].repositories[0].clone();
                lock.targets[0].repositories.push(again);
            },
            "repository el9-x86_64/os is listed twice",
        ),
        (
            |lock| {
                let again = lock.targets[0].clone();
                lock.targets.push(again);
            },
            "target el9-x86_64 is listed twice",
        ),
        (
            |lock| {
                let mut again = lock.rpms[0].clone();
                again.digest = Digest::of(b"another");
                lock.rpms.push(again);
            },
            "is listed twice",
        ),
        (
            |lock| {
                let mut again = lock.manifests[0].clone();
                again.applied.digest = Digest::of(b"another");
                lock.manifests.push(again);
            },
            "manifest calico is listed twice",
        ),
        (|lock| alike(lock, |_, id| *id = id.to_uppercase()), "named alike"),
        (|lock| alike(lock, |target, _| target.push('.')), "not every file system keeps"),
        (|lock| lock.images[0].root.size += 1, ""),
    ];
    for (change, words) in cases {
        rewritten(&demo, change, &[]);
        let error = demo.fails(&["verify", "-q", "other.tar"]);
        assert!(error.contains(words), "{words}: {error}");
    }
    // With the spec's word and its reason it is opened, and shown.
    rewritten(
        &demo,
        |lock| {
            lock.targets[0].repositories[0].keys.clear();
            lock.disabled_checks.push(off(
                CheckName::Gpgcheck,
                "el9-x86_64/os",
                "its maker signs nothing",
            ));
        },
        &[],
    );
    let shown = demo.ok(&["inspect", "other.tar"]);
    assert!(shown.contains("gpgcheck for el9-x86_64/os: its maker signs nothing"), "{shown}");
}

fn off(check: CheckName, subject: &str, reason: &str) -> DisabledCheck {
    let [subject, reason] = [subject, reason].map(str::to_owned);
    DisabledCheck { check, subject, reason }
}

/// Adds a key whose path is made of another's target and repository.
fn alike(lock: &mut Lock, change: fn(&mut String, &mut String)) {
    let file = lock.files.iter().find(|file| file.kind == FileKind::Key).unwrap();
    let mut again = file.clone();
    let BundlePath::Key { target, repository, .. } = &mut again.path else { unreachable!() };
    change(target, repository);
    lock.files.push(again);
}

#[test]
fn no_text_of_a_strangers_moves_the_cursor_or_forges_a_line() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let lines = format!(
        "{}\nchecks that are OFF\nhint: run this",
        HOSTILE.replace(['\u{1b}', '\u{7}', '\u{9b}', '\u{7f}'], "")
    );
    let text = lines.clone();
    rewritten(
        &demo,
        move |lock| {
            lock.warnings.push(text.clone());
            lock.disabled_checks.push(off(CheckName::PlainHttp, "r.io", &text));
            lock.manifests[0].patches.push(Edit {
                patch: "set a\u{202e}b".to_owned(),
                line: 1,
                from: text.clone(),
                to: text,
            });
            lock.targets[0].baseline = "none\u{2066}\u{200b}".to_owned();
            let requires = bundle_format::lock::Why::Requires {
                package: lock.rpms[0].package.clone(),
                requirement: "a\u{202e}b".to_owned(),
            };
            lock.rpms[1].why.push(requires);
        },
        &[],
    );
    let package =
        Bundle::open(&demo.path("other.tar")).unwrap().lock().rpms[1].package.name.clone();
    let file = format!("{HOSTILE}\nhint: forged.tar");
    fs::copy(demo.path("other.tar"), demo.path(&file)).unwrap();
    fs::write(demo.path("bad\u{1b}[2J\nerror: forged.yaml"), "a: b\n---\n\u{202e}: [\n").unwrap();
    fs::write(demo.path("list.yaml"), format!("image: 'a.io/{}:1'\n", "\u{202e}b")).unwrap();
    let commands: &[&[&str]] = &[
        &["inspect", "other.tar"],
        &["inspect", "--json", "other.tar"],
        &["inspect", &file],
        &["diff", "demo.tar", "other.tar"],
        &["diff", "--json", "demo.tar", "other.tar"],
        &["why", &package, "other.tar"],
        &["why", HOSTILE, "other.tar"],
        &["extract", "other.tar", &lines],
        &["extract", "-C", HOSTILE, "--kind", "keys", "other.tar"],
        &["verify", "-q", &file],
        &["verify", &lines],
        &["images", "bad\u{1b}[2J\nerror: forged.yaml", "list.yaml"],
        &["lock", &lines],
        &["build", "-o", &lines],
        &["build", "--split", HOSTILE],
        &[HOSTILE],
    ];
    for arguments in commands {
        let text = shown(&demo.run(arguments));
        assert!(!text.is_empty(), "{arguments:?}");
        let hidden = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t');
        assert!(!text.contains(hidden), "{arguments:?}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("hint: ")), "{arguments:?}: {text}");
        assert!(!text.contains("\nerror: forged"), "{arguments:?}: {text}");
        let heads = text.lines().filter(|line| *line == "checks that are OFF").count();
        assert!(heads <= 1, "{arguments:?}: {text}");
    }
    // JSON has the values as they are.
    let json: serde_json::Value =
        serde_json::from_str(&demo.ok(&["inspect", "--json", "other.tar"])).unwrap();
    assert_eq!(json["warnings"].as_array().unwrap().last().unwrap(), lines.as_str());
}

#[test]
fn extraction_stays_in_its_folder() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    fs::create_dir_all(demo.path("out/mine")).unwrap();
    fs::create_dir(demo.path("outside")).unwrap();
    symlink(demo.path("outside"), demo.path("out/rpms")).unwrap();
    let error = demo.fails(&["extract", "-C", "out", "demo.tar"]);
    assert!(error.contains("out/rpms is a symbolic link; remove it"), "{error}");
    assert_eq!(fs::read_dir(demo.path("outside")).unwrap().count(), 0);
    fs::remove_file(demo.path("out/rpms")).unwrap();
    demo.ok(&["extract", "-C", "out", "demo.tar"]);
    let error = demo.fails(&["extract", "-C", "out", "demo.tar"]);
    assert!(error.contains("exist already"), "{error}");
    assert!(demo.path("out/mine").is_dir());
    // Another user's link, where everybody may write.
    let shared = demo.path("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
    symlink(demo.path("outside"), shared.join("out")).unwrap();
    if lchown(shared.join("out"), Some(65534), Some(65534)).is_err() {
        println!("skipped: another user's link is made as root only");
        return;
    }
    let error = demo.fails(&["extract", "-C", "shared/out", "demo.tar"]);
    assert!(error.contains("is another user's link"), "{error}");
    assert_eq!(fs::read_dir(demo.path("outside")).unwrap().count(), 0);
}
