//! Builds of a bundle that is there already, or whose making was broken off.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::process::{Command, Stdio};

use bundle_format::Lock;

use super::walk;
use crate::support::demo::{BUNDLER, Demo};

const THERE: &str = "the bundle is there already: verified";

/// Builds `demo.tar`; gives what was said.
fn build(demo: &Demo) -> String {
    let output = demo.run(&["build"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

/// A demo with an image of so many MiB in four layers.
fn with_large_image(mebibytes: u64) -> Demo {
    let demo = Demo::of(upstream::Upstream::start_with_large_image(mebibytes).unwrap());
    let host = demo.upstream.host().to_owned();
    let images = format!("images: [\"{host}/large:latest\"]\nregistries:\n");
    demo.write_spec(&demo.spec().replace("registries:\n", &images));
    demo
}

fn inode(demo: &Demo, name: &str) -> u64 {
    fs::metadata(demo.path(name)).unwrap().ino()
}

#[test]
fn a_bundle_that_is_right_is_read_and_not_written() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    assert!(!build(&demo).contains(THERE));
    let sums = fs::read_to_string(demo.path("demo.tar.sha256")).unwrap();
    let (bundle, sidecar) = (inode(&demo, "demo.tar"), inode(&demo, "demo.tar.sha256"));
    let before = demo.upstream.requests();
    assert!(build(&demo).contains(THERE));
    assert_eq!(before.blobs, demo.upstream.requests().blobs);
    assert_eq!((bundle, sidecar), (inode(&demo, "demo.tar"), inode(&demo, "demo.tar.sha256")));

    // Checksums that are wrong or gone are made again, and so they are if the note of the sum
    // is wrong or gone.
    let notes = walk(&demo.path("cache/kubeferry/sums"));
    let [note] = notes.as_slice() else { panic!("{notes:?}") };
    let other = fs::read_to_string(note).unwrap();
    let other = format!("sha256:{}{}", &other[8..], &other[7..8]);
    let breaking: [&dyn Fn(); 5] = [
        &|| {
            fs::write(demo.path("demo.tar.sha256"), sums.replacen(&sums[..8], "01234567", 1))
                .unwrap();
        },
        &|| fs::write(demo.path("demo.tar.sha256"), format!("{sums}{sums}")).unwrap(),
        &|| fs::remove_file(demo.path("demo.tar.sha256")).unwrap(),
        &|| fs::write(note, &other).unwrap(),
        &|| fs::remove_file(note).unwrap(),
    ];
    for (number, broken) in breaking.into_iter().enumerate() {
        broken();
        assert!(build(&demo).contains(THERE), "{number}");
        assert_eq!(fs::read_to_string(demo.path("demo.tar.sha256")).unwrap(), sums, "{number}");
        assert_ne!(fs::read_to_string(note).unwrap(), other, "{number}");
        assert_eq!(bundle, inode(&demo, "demo.tar"), "{number}");
    }
}

#[test]
fn a_bundle_with_one_wrong_byte_is_made_again() {
    let demo = Demo::start();
    demo.ok(&["build", "-q", "--parity", "5%"]);
    let good = fs::read(demo.path("demo.tar")).unwrap();
    let size = good.len() as u64;
    // In a header, in a blob, in what fills the last block, and behind the end; then a file
    // that was cut short. The parity file could repair some of it, but the disk would stay
    // as it is.
    for place in [0, 600, size / 2, size - 1, size] {
        let file = File::options().write(true).open(demo.path("demo.tar")).unwrap();
        file.write_all_at(b"\xa5", place).unwrap();
        assert!(fs::read(demo.path("demo.tar")).unwrap() != good, "{place}");
        assert!(!build(&demo).contains(THERE), "{place}");
        assert!(fs::read(demo.path("demo.tar")).unwrap() == good, "{place}");
    }
    File::options().write(true).open(demo.path("demo.tar")).unwrap().set_len(size / 2).unwrap();
    assert!(!build(&demo).contains(THERE));
    assert!(fs::read(demo.path("demo.tar")).unwrap() == good);
    assert!(build(&demo).contains(THERE));
    // The bundle of another lock is no reason to keep it.
    demo.write_spec(&demo.spec().replace("name: demo", "name: other"));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "-o", "demo.tar"]);
    assert!(fs::read(demo.path("demo.tar")).unwrap() != good);
}

#[test]
fn a_build_that_was_killed_while_it_packed_fetches_nothing_again() {
    let demo = with_large_image(96);
    demo.ok(&["lock"]);
    let mut process = Command::new(BUNDLER)
        .args(["build", "-q"])
        .current_dir(demo.folder.path())
        .env("XDG_CACHE_HOME", demo.path("cache"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let packed = || fs::metadata(demo.path(".demo.tar.partial")).map_or(0, |file| file.len());
    while process.try_wait().unwrap().is_none() && packed() < 1 << 20 {
        std::thread::yield_now();
    }
    assert!(process.try_wait().unwrap().is_none(), "it was done before it could be killed");
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(!demo.path("demo.tar").exists() && demo.path(".demo.tar.partial").exists());
    let before = demo.upstream.requests();
    demo.ok(&["build", "-q"]);
    let after = demo.upstream.requests();
    assert_eq!((before.blobs, before.packages), (after.blobs, after.packages));
    assert!(demo.ok(&["verify", "-q", "demo.tar"]).starts_with("good: "));
    assert!(!demo.path(".demo.tar.partial").exists());
}

/// What an earlier build found in layers is noted. A note that is damaged, and one of a layer
/// that is damaged now, change nothing.
#[test]
fn notes_of_layers_never_change_a_bundle() {
    let demo = with_large_image(40);
    demo.ok(&["build", "-q"]);
    let good = fs::read(demo.path("demo.tar")).unwrap();
    let notes = walk(&demo.path("cache/kubeferry/layers"));
    assert_eq!(notes.len(), 4, "{notes:?}");
    let sound = fs::read(&notes[0]).unwrap();
    let text = String::from_utf8(sound.clone()).unwrap();
    let altered = text.replacen("\"found\":{}", "\"found\":{\"x\":{\"Unread\":\"y\"}}", 1);
    assert_ne!(altered, text);
    fs::write(&notes[0], altered).unwrap();
    fs::write(&notes[1], b"").unwrap();
    demo.ok(&["build", "-q", "-o", "again.tar"]);
    assert!(fs::read(demo.path("again.tar")).unwrap() == good);
    assert!(fs::read(&notes[0]).unwrap() == sound, "it was noted again");

    let lock = Lock::parse(fs::read(demo.path("bundle.yaml.lock.json")).unwrap()).unwrap();
    let layers = lock.images.iter().flat_map(|image| &image.platforms).flat_map(|one| &one.layers);
    let layer = layers.max_by_key(|layer| layer.size).unwrap();
    let blob = demo.path("cache/kubeferry/blobs/sha256").join(layer.digest.hex());
    File::options().write(true).open(&blob).unwrap().write_all_at(b"\xa5\x5a", 9 << 20).unwrap();
    let error = demo.fails(&["build", "-q", "-o", "third.tar"]);
    assert!(error.contains("damaged in the cache") && !blob.exists(), "{error}");
    assert!(!demo.path("third.tar").exists());
    demo.ok(&["build", "-q", "-o", "third.tar"]);
    assert!(fs::read(demo.path("third.tar")).unwrap() == good);
}
