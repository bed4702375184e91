//! Bundles that were damaged or exchanged on the way: each is refused, the words name
//! what is wrong, and the node is as it was.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use bundle_format::archive::reader::Bundle;
use bundle_format::archive::storage::part_name;
use bundle_format::archive::verify::verify;
use bundle_format::layout::FILE_TYPE;
use bundle_format::lock::{
    Descriptor, FileKind, FileSource, Lock, LockedFile, LockedImage, LockedPlatform,
};
use bundle_format::oci::{OCI_INDEX, OCI_MANIFEST};
use bundle_format::{Architecture, Digest};
use serde_json::json;

use super::signed::{key, sign};
use super::{NODE, folder, run};
use crate::node::intent::{Rpm, add_packages, image, target, write_bundle_with};

const MANIFEST: (&str, &str) = ("web", "kind: Namespace\nmetadata: {name: web}\n");
const KEY: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n";
const LAYER: &str = "a layer";

fn described(media_type: &str, text: &str) -> Descriptor {
    let (digest, size) = (Digest::of(text.as_bytes()), text.len() as u64);
    Descriptor { media_type: media_type.to_owned().into(), digest, size }
}

/// An image of one layer, with the texts of its documents.
fn whole_image(architecture: Architecture) -> (LockedImage, Vec<String>) {
    let platform = json!({"architecture": architecture.oci(), "os": "linux"});
    let layer = described("application/vnd.oci.image.layer.v1.tar", LAYER);
    let config_text = platform.to_string();
    let config = described("application/vnd.oci.image.config.v1+json", &config_text);
    let manifest_text = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": config, "layers": [layer]});
    let manifest_text = manifest_text.to_string();
    let manifest = described(OCI_MANIFEST, &manifest_text);
    let mut entry = serde_json::to_value(&manifest).unwrap();
    entry["platform"] = platform;
    let index_text = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]});
    let index_text = index_text.to_string();
    let root = described(OCI_INDEX, &index_text);
    let platforms = vec![LockedPlatform { architecture, manifest, config, layers: vec![layer] }];
    let image = LockedImage { root, platforms, ..image("r.io/web:1") };
    (image, vec![config_text, manifest_text, index_text, LAYER.to_owned()])
}

/// A bundle that has each kind of artifact, small enough that each of its bytes can be
/// altered.
fn write(path: &Path, change: impl FnOnce(&mut Lock)) {
    let architecture = std::env::consts::ARCH.parse().unwrap();
    let (image, texts) = whole_image(architecture);
    let texts: Vec<&str> = texts.iter().map(String::as_str).chain([KEY]).collect();
    write_bundle_with(path, &[MANIFEST], &texts, |lock| {
        lock.targets = vec![target(architecture)];
        let id = lock.targets[0].id.clone();
        add_packages(lock, &[Rpm { nevra: "a-1-1.noarch", is_requested: true, needed: &[] }]);
        lock.images = vec![image];
        lock.files = vec![LockedFile {
            kind: FileKind::Key,
            path: format!("keys/{id}/own-1.asc").parse().unwrap(),
            source: FileSource::Named("http://own/key".to_owned()),
            content: described(FILE_TYPE, KEY),
        }];
        change(lock);
    });
}

/// What the installer says of a bundle before it opens a node for changes; none for a
/// good one. `installer verify`, an install and an upgrade ask these two.
fn refusal(path: &Path) -> Option<String> {
    match Bundle::open(path) {
        Ok(bundle) => verify(&bundle, |_| ()).report(),
        Err(error) => Some(error.to_string()),
    }
}

/// A bundle's file, and of each range of its bytes what an error has to name.
struct Sweep {
    folder: tempfile::TempDir,
    good: Vec<u8>,
    /// The ends of the ranges, with names.
    names: BTreeMap<usize, Vec<String>>,
}

impl Sweep {
    fn new() -> Self {
        // In memory: it is written some ten thousand times.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let path = folder.path().join("small.tar");
        write(&path, |_| ());
        assert_eq!(refusal(&path), None);
        let bundle = Bundle::open(&path).unwrap();
        let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut add = |digest: Digest, name: String| of.entry(digest.hex()).or_default().push(name);
        for file in bundle.contents() {
            add(file.descriptor.digest, file.path.to_string());
        }
        for image in &bundle.lock().images {
            let platform = &image.platforms[0];
            for blob in [&image.root, &platform.manifest, &platform.config, &platform.layers[0]] {
                add(blob.digest, image.name.to_string());
            }
        }
        let good = fs::read(&path).unwrap();
        let mut names = BTreeMap::new();
        for entry in tar::Archive::new(&good[..]).entries().unwrap() {
            let entry = entry.unwrap();
            let begin = entry.raw_file_position() as usize;
            let name = entry.path().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
            // A header, or what fills a block: the file, and the byte.
            names.insert(begin, vec!["small.tar".to_owned()]);
            let own = of.get(&name).cloned().unwrap_or(vec!["small.tar".to_owned()]);
            if entry.size() > 0 {
                names.insert(begin + entry.size() as usize, own);
            }
        }
        names.insert(good.len(), vec!["small.tar".to_owned()]);
        Self { folder, good, names }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("small.tar")
    }

    /// Each byte altered in one bit, in turn.
    fn alter(&self, bit: impl Fn(usize) -> u8) -> usize {
        let file = File::options().write(true).open(self.path()).unwrap();
        for (at, byte) in self.good.iter().enumerate() {
            file.write_all_at(&[byte ^ bit(at)], at as u64).unwrap();
            let error = refusal(&self.path());
            let error = error.unwrap_or_else(|| panic!("byte {at} may be anything"));
            let (_, names) = self.names.range(at + 1..).next().unwrap();
            assert!(names.iter().any(|name| error.contains(name)), "{at}, {names:?}: {error}");
            file.write_all_at(&[*byte], at as u64).unwrap();
        }
        assert_eq!(refusal(&self.path()), None);
        self.good.len()
    }
}

#[test]
fn every_byte_counts_and_the_error_names_what_it_belongs_to() {
    let sweep = Sweep::new();
    let swept = sweep.alter(|at| 1 << (at % 8));
    assert!(swept >= 10_000, "{swept}");
}

#[test]
fn a_bundle_that_is_cut_anywhere_is_refused() {
    let sweep = Sweep::new();
    let step = sweep.good.len() / 500;
    for length in (0..sweep.good.len()).step_by(step) {
        fs::write(sweep.path(), &sweep.good[..length]).unwrap();
        let error = refusal(&sweep.path()).unwrap_or_else(|| panic!("cut to {length}"));
        assert!(error.contains("small.tar"), "{length}: {error}");
    }
    for more in [1, 512, 1024] {
        fs::write(sweep.path(), [&sweep.good[..], &vec![0; more]].concat()).unwrap();
        assert!(refusal(&sweep.path()).is_some(), "{more} more");
    }
}

#[test]
fn parts_in_any_other_order_are_refused() {
    let sweep = Sweep::new();
    fs::remove_file(sweep.path()).unwrap();
    // The last as large as the others, so that no size gives it away.
    let size = sweep.good.len() / 4;
    let parts: Vec<&[u8]> = sweep.good.chunks(size).collect();
    assert_eq!((parts.len(), parts[3].len()), (4, size));
    let mut refused = 0;
    for order in 0..256_usize {
        let order = [order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6];
        for (number, part) in order.iter().enumerate() {
            fs::write(part_name(&sweep.path(), number + 1, 4), parts[*part]).unwrap();
        }
        let error = refusal(&sweep.path());
        assert_eq!(error.is_none(), order == [0, 1, 2, 3], "{order:?}");
        refused += usize::from(error.is_some_and(|error| error.contains("small.tar.part0")));
    }
    assert_eq!(refused, 255, "each names a part");
}

#[test]
fn a_blob_in_anothers_place_is_refused() {
    let sweep = Sweep::new();
    // Two blobs with their headers, each with its right digest: only the order is wrong.
    let mut entries = Vec::new();
    for entry in tar::Archive::new(&sweep.good[..]).entries().unwrap() {
        let entry = entry.unwrap();
        let begin = entry.raw_header_position() as usize;
        let end = (entry.raw_file_position() + entry.size()).next_multiple_of(512) as usize;
        let name = entry.path().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        entries.push((begin..end, name));
    }
    for one in 0..entries.len() {
        for other in one + 1..entries.len() {
            let mut order: Vec<_> = (0..entries.len()).collect();
            order.swap(one, other);
            let mut bytes: Vec<u8> =
                order.iter().flat_map(|at| sweep.good[entries[*at].0.clone()].to_vec()).collect();
            bytes.extend([0; 1024]);
            fs::write(sweep.path(), &bytes).unwrap();
            let error = refusal(&sweep.path()).unwrap_or_else(|| panic!("{one} and {other}"));
            assert!(error.contains("small.tar"), "{one} and {other}: {error}");
        }
        // One that is there twice, or not at all.
        let (range, name) = &entries[one];
        let twice = [&sweep.good[..range.end], &sweep.good[range.start..]].concat();
        let gone = [&sweep.good[..range.start], &sweep.good[range.end..]].concat();
        for bytes in [twice, gone] {
            fs::write(sweep.path(), &bytes).unwrap();
            let error = refusal(&sweep.path()).unwrap_or_else(|| panic!("{one}"));
            // A blob that is gone is missed by its digest, with what it was.
            let is_missed = error.contains(name) && error.contains("it is missing");
            assert!(is_missed || error.contains("small.tar"), "{one}: {error}");
        }
    }
}

/// Everything in a folder, with its bytes.
fn tree(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let all = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let all = all.map(|entry| entry.unwrap().into_path());
    all.map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect()
}

#[test]
fn the_program_refuses_what_was_exchanged_and_leaves_the_node() {
    let folder = folder();
    let folder = folder.path();
    let bundle = folder.join("small.tar");
    let node = folder.join("node");
    let before = tree(&node);
    let refused = |line: &str, words: &str| {
        let (status, out, err) = run(folder, line);
        assert_eq!((status, out.as_str()), (1, ""), "{line}: {err}");
        assert!(err.starts_with("error: ") && err.contains(words), "{line}, {words}: {err}");
        assert_eq!(tree(&node), before, "{line}");
    };
    let plan = format!("plan {NODE} --trusted-key site.pub");
    let dry_run = format!("{NODE} --dry-run --trusted-key site.pub");
    let verify = "verify small.tar --trusted-key site.pub";
    key(folder, "site");
    // The older one, with its signature.
    write(&bundle, |lock| lock.kubernetes = "1.28.1".parse().unwrap());
    sign(folder, "site", 1_795_833_174);
    let older = fs::read(&bundle).unwrap();
    let older_signature = fs::read(folder.join("small.tar.minisig")).unwrap();
    write(&bundle, |_| ());
    let newer = fs::read(&bundle).unwrap();
    sign(folder, "site", 1_795_833_175);
    let newer_signature = fs::read(folder.join("small.tar.minisig")).unwrap();
    assert_eq!(run(folder, &plan).0, 0);
    for (bytes, signature, words) in [
        (&newer, None, "there is no signature small.tar.minisig"),
        (&newer, Some(&older_signature), "small.tar.minisig is not of this bundle"),
        (&older, Some(&newer_signature), "small.tar.minisig is not of this bundle"),
    ] {
        fs::write(&bundle, bytes).unwrap();
        match signature {
            Some(bytes) => fs::write(folder.join("small.tar.minisig"), bytes).unwrap(),
            None => fs::remove_file(folder.join("small.tar.minisig")).unwrap(),
        }
        for line in [plan.as_str(), &dry_run, verify] {
            refused(line, words);
        }
    }
    // The index of the older one in the newer one, with the older one's signature.
    let range = |bytes: &[u8]| {
        let mut archive = tar::Archive::new(bytes);
        let mut entries = archive.entries().unwrap().map(Result::unwrap);
        let index = entries.find(|entry| entry.path().unwrap().ends_with("index.json")).unwrap();
        let end = (index.raw_file_position() + index.size()).next_multiple_of(512);
        index.raw_header_position() as usize..end as usize
    };
    let mut mixed = newer.clone();
    mixed.splice(range(&newer), older[range(&older)].iter().copied());
    fs::write(&bundle, mixed).unwrap();
    fs::write(folder.join("small.tar.minisig"), &older_signature).unwrap();
    for line in [plan.as_str(), &dry_run, verify] {
        refused(line, "small.tar is damaged at byte");
    }
    // A package by another valid blob: the digest in the name is what counts.
    fs::write(folder.join("small.tar.minisig"), &newer_signature).unwrap();
    let mut other = newer.clone();
    let place = other.windows(9).position(|bytes| bytes == b"a package").unwrap();
    other[place..place + LAYER.len()].copy_from_slice(LAYER.as_bytes());
    fs::write(&bundle, other).unwrap();
    refused(verify, "a-1-1.noarch.rpm");
    // A key, which a plan reads before all bytes are checked.
    let mut other = newer.clone();
    let place = other.windows(KEY.len()).position(|bytes| bytes == KEY.as_bytes()).unwrap();
    other[place] ^= 1;
    fs::write(&bundle, other).unwrap();
    for line in [plan.as_str(), &dry_run, verify] {
        refused(line, "/own-1.asc");
    }
}
