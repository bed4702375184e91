//! What bundlers have written so far, and what is to be opened for ever.

use std::fs;
use std::io::Cursor;

use crate::archive::reader::Bundle;
use crate::archive::writer;
use crate::digest::Digest;
use crate::layout::{Content, FILE_TYPE, Layout, lock_bytes};
use crate::lock::{Descriptor, Lock};

/// A lock that has everything, as the first bundler writes it.
const VERSION_1: &[u8] = include_bytes!("tests/version-1.lock.json");
/// What its blobs hold.
const TEXTS: [&str; 20] = [
    "a key",
    "another key",
    "a repomd",
    "a package",
    "another package",
    "an index",
    "a manifest",
    "a configuration",
    "a layer",
    "another layer",
    "an attestation",
    "a manifest of docker's",
    "another configuration",
    "a: b\n",
    "a: c\n",
    "d: e\n",
    "f: g\n",
    "h: i\n",
    "an installer",
    "primary",
];

fn described(text: &str) -> Descriptor {
    Descriptor {
        media_type: FILE_TYPE.into(),
        digest: Digest::of(text.as_bytes()),
        size: text.len() as u64,
    }
}

#[test]
fn a_lock_of_the_first_version_is_written_as_it_was_read() {
    let lock = Lock::parse(VERSION_1).unwrap();
    assert_eq!(String::from_utf8(lock_bytes(&lock).unwrap()), String::from_utf8(VERSION_1.into()));
}

/// The digest is that of the archive which the first bundler makes of the lock.
#[test]
fn a_bundle_of_the_first_version_is_made_and_opened() {
    let lock = Lock::parse(VERSION_1).unwrap();
    let repodata = |name: &str, text: &str| Content {
        path: format!("rpms/el9-x86_64/repodata/{name}").parse().unwrap(),
        descriptor: described(text),
    };
    let repodata = [repodata("primary.xml.gz", "primary"), repodata("repomd.xml", "a repomd")];
    let layout = Layout::new(&lock, &repodata).unwrap();
    let open = |blob: &Descriptor| {
        let text = TEXTS.iter().find(|text| Digest::of(text.as_bytes()) == blob.digest);
        Ok(Cursor::new(text.unwrap().as_bytes()))
    };
    let mut bytes = Vec::new();
    writer::write(&mut bytes, &layout, open, |_| ()).unwrap();
    assert_eq!(
        Digest::of(&bytes).hex(),
        "912e04e320904ac1513597d252353e3ab5122cbbbd90ad17d649b2cd1ef7ead3"
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.tar");
    fs::write(&path, &bytes).unwrap();
    let bundle = Bundle::open(&path).unwrap();
    assert_eq!(*bundle.lock(), lock);
    let titles: Vec<String> =
        bundle.contents().iter().map(|content| content.path.to_string()).collect();
    assert_eq!(
        titles,
        [
            "keys/el9-x86_64/os-1.asc",
            "keys/el9-x86_64/own-repo-2.asc",
            "rpms/el9-x86_64/repodata/primary.xml.gz",
            "rpms/el9-x86_64/repodata/repomd.xml",
            "rpms/el9-x86_64/containerd.io-1.6.25-3.1.el9.x86_64.rpm",
            "rpms/el9-x86_64/kubelet-1.28.2-150500.1.1.x86_64.rpm",
            "manifests/calico.yaml",
            "manifests/upstream/calico.yaml",
            "manifests/passes/calico.1.yaml",
            "manifests/passes/calico.2.yaml",
            "manifests/plain.yaml",
            "installers/x86_64/installer",
        ]
    );
}

#[test]
fn what_no_bundler_writes_is_refused() {
    let text = std::str::from_utf8(VERSION_1).unwrap();
    for (written, other, words) in [
        (r#""kubernetes": "1.28.2""#, r#""kubernetes": "1.28""#, "`1.28` is not an exact version"),
        (r#""check": "repoGpgcheck""#, r#""check": "all""#, "unknown variant `all`"),
        ("keys/el9-x86_64/os-1.asc", "keys/os.asc", "has no place in a bundle"),
        ("keys/el9-x86_64/os-1.asc", "keys/../os-1.asc", "leads elsewhere"),
        (r#""kind": "installer""#, r#""kind": "key""#, "is not in the folder for a key"),
    ] {
        assert!(text.contains(written), "{written}");
        let error = Lock::parse(text.replacen(written, other, 1).as_bytes()).unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}
