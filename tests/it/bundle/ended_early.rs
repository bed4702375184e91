//! Builds that were killed, and builds that cannot end well.

use std::fs;

use bundle_format::Lock;

use super::walk;
use crate::support::demo::{self, Demo};

#[test]
fn a_damaged_blob_in_the_cache_is_fetched_again() {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    let lock = Lock::parse(fs::read(demo.path("bundle.yaml.lock.json")).unwrap()).unwrap();
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
