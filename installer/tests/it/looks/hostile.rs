//! Bundles that claim to be huge: the installer says so in 256 MB.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::process::Command;

use bundle_format::Digest;
use bundle_format::archive::writer;
use bundle_format::layout::{BUNDLE_TYPE, LOCK_TYPE, Layout};
use bundle_format::lock::{Descriptor, LOCK_VERSION};
use bundle_format::oci::OCI_MANIFEST;
use serde_json::json;

use super::{NODE, folder};

/// Runs the installer with 256 MB for all its data, so that more ends it otherwise than
/// by its own error.
fn refused(folder: &Path, words: &str) {
    for line in ["verify small.tar", &format!("plan {NODE}")] {
        let mut sh = Command::new("sh");
        sh.args(["-c", "ulimit -d 262144 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_installer")]);
        let output = sh.args(line.split(' ')).current_dir(folder).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}, {line}: {}", output.status);
        assert!(text.starts_with("error: ") && text.contains(words), "{words}, {line}: {text}");
        assert!(text.len() < 60_000, "{words}: {} bytes", text.len());
    }
}

fn described(media_type: &str, bytes: &[u8], size: u64) -> Descriptor {
    Descriptor { media_type: media_type.to_owned().into(), digest: Digest::of(bytes), size }
}

/// An index that names a manifest, which names a lock, with the sizes that each claims.
fn named(lock: &[u8], lock_claims: u64, manifest_claims: Option<u64>) -> Layout {
    let lock_blob = described(LOCK_TYPE, lock, lock.len() as u64);
    let claimed = Descriptor { size: lock_claims, ..lock_blob.clone() };
    let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "artifactType": BUNDLE_TYPE, "config": claimed, "layers": []});
    let manifest = manifest.to_string().into_bytes();
    let manifest_blob = described(OCI_MANIFEST, &manifest, manifest.len() as u64);
    let size = manifest_claims.unwrap_or(manifest_blob.size);
    let mut entry = json!(Descriptor { size, ..manifest_blob.clone() });
    entry["artifactType"] = BUNDLE_TYPE.into();
    let index = json!({"schemaVersion": 2, "mediaType": "x", "manifests": [entry]});
    let documents = vec![(lock_blob.clone(), lock.to_vec()), (manifest_blob.clone(), manifest)];
    let blobs = vec![lock_blob, manifest_blob];
    Layout { index: index.to_string().into_bytes(), documents, blobs, absent: Vec::new() }
}

fn write(path: &Path, layout: &Layout) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    let open = |blob: &Descriptor| Ok(io::repeat(0).take(blob.size));
    writer::write(&mut out, layout, open, |_| ()).unwrap();
    out.flush().unwrap();
}

#[test]
fn sizes_counts_and_depths_that_are_only_claimed_take_no_memory() {
    let folder = folder();
    let folder = folder.path();
    let path = folder.join("small.tar");
    let of_index = |index: Vec<u8>| Layout {
        index,
        documents: Vec::new(),
        blobs: Vec::new(),
        absent: Vec::new(),
    };
    write(&path, &of_index(vec![b' '; 64 << 20]));
    refused(folder, "no such document has more than");
    write(&path, &of_index([br#"{"manifests":"#.as_slice(), &[b'['; 1 << 20]].concat()));
    refused(folder, "makes no sense");
    write(&path, &named(b"{}", u64::MAX, None));
    refused(folder, "small.tar is damaged at byte");
    write(&path, &named(b"{}", 2, Some(u64::MAX / 2)));
    refused(folder, "small.tar is damaged at byte");
    write(&path, &named(&vec![b'['; 64 << 20], 64 << 20, None));
    refused(folder, "no such document has more than");
    write(&path, &named(&[b'['; 1 << 20], 1 << 20, None));
    refused(folder, "the bundle's lock makes no sense");
    let values = vec!["[]"; 1_500_000].join(",");
    let lock = format!(r#"{{"lockVersion":{LOCK_VERSION},"warnings":[{values}]}}"#);
    write(&path, &named(lock.as_bytes(), lock.len() as u64, None));
    refused(folder, "more than 1000000 values");
    // A header that claims 8 GiB less a byte, which is as much as one can.
    let mut header = tar::Header::new_ustar();
    header.set_path("index.json").unwrap();
    header.set_mode(0o644);
    header.set_size((8 << 30) - 1);
    header.set_cksum();
    std::fs::write(&path, [header.as_bytes().as_slice(), &[0; 4096]].concat()).unwrap();
    refused(folder, "small.tar");
}
