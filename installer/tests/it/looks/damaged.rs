//! A bundle that was damaged on its way: it is refused, and the node stays as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{NODE, folder, run};
use crate::node::intent::{target, write_bundle_of};

const MANIFEST: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: site}\n";

/// What lies in a folder.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.unwrap().into_path());
    entries.map(|path| (path.clone(), fs::read(path).ok())).collect()
}

#[test]
fn a_damaged_bundle_is_refused_and_nothing_is_changed() {
    let folder = folder();
    let folder = folder.path();
    let path = folder.join("small.tar");
    let architecture = std::env::consts::ARCH.parse().unwrap();
    write_bundle_of(&path, &[("first", MANIFEST)], |lock| {
        lock.targets = vec![target(architecture)];
    });
    let good = fs::read(&path).unwrap();
    let before = tree(&folder.join("node"));
    let plan = format!("plan {NODE} --only hosts");
    let dry_run = format!("{NODE} --only hosts --dry-run");
    for line in [plan.as_str(), &dry_run, "verify small.tar"] {
        let (status, _, err) = run(folder, line);
        assert_eq!(status, 0, "{line}: {err}");
    }
    let place = |words: &str| {
        good.windows(words.len()).position(|bytes| bytes == words.as_bytes()).unwrap()
    };
    let altered = |place: usize| {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        bytes
    };
    let cases = [
        (altered(0), "small.tar is not a bundle"),
        (altered(place("index.json")), "small.tar is damaged at byte 1024"),
        (altered(place("schemaVersion")), "index"),
        (altered(place("lockVersion")), " is damaged"),
        (good[..good.len() / 2].to_vec(), "small.tar ends in the middle of "),
    ];
    for (bytes, words) in cases {
        fs::write(&path, bytes).unwrap();
        for line in [plan.as_str(), &dry_run, "verify small.tar"] {
            let (status, out, err) = run(folder, line);
            assert_eq!((status, out.as_str()), (1, ""), "{words}, {line}: {err}");
            assert!(err.contains(words), "{words}, {line}: {err}");
        }
    }
    // An install reads every byte before it begins, as `verify` does.
    fs::write(&path, altered(place("kind: Namespace"))).unwrap();
    let (status, _, err) = run(folder, "verify small.tar");
    assert_eq!(status, 1);
    assert!(err.contains("first") && err.contains("do not use this bundle"), "{err}");
    assert_eq!(tree(&folder.join("node")), before);
}
