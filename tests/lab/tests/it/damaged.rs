//! A bundle that was damaged on the way: an install is refused, the words name what is damaged,
//! and the node is as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::mem::discriminant;
use std::os::unix::fs::FileExt;
use std::path::Path;

use bundle_format::archive::blob_name;
use bundle_format::archive::reader::Bundle;
use lab::{Node, Settings, cluster};

use crate::support::{connected_host, lab, words};

/// Everything on the node's disk with its mode, and for files also their size, their link and the
/// time of their last change. A folder's time also tells of a file that is gone again. Left out is
/// what a running system writes by itself, and what a question to rpm or to the firewall writes.
const TREE: &str = r"find / -xdev \( -path /var/log -o -path /var/lib/systemd -o -path /var/lib/rpm \
    -o -path /media/usb \) -prune -o -type d -printf '%p %m\n' -o -printf '%p %m %s %l %C@\n'";

/// A byte of the bundle, and what the error must name.
struct Damage {
    at: u64,
    name: String,
}

/// An install from the bundle with one byte altered: in the index, in an artifact of each kind,
/// in an image; and from the bundle cut short.
#[test]
#[ignore = "takes two minutes: scripts/nightly"]
fn an_install_from_a_damaged_bundle_changes_nothing() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let Some(lab) = lab(&Settings { nodes: 1, ..Settings::default() }) else { return };
    let node = &lab.nodes()[0];
    cluster::insert_stick(&lab, &bundle).unwrap();
    cluster::configure(node, "").unwrap();
    let before = tree(node);
    let refused = |name: &str| {
        // Anew, where a stick holds a copy.
        node.insert(&bundle).unwrap();
        let line = [&[cluster::INSTALLER, "--yes"][..], &cluster::MASTER].concat();
        let output = node.exec(line).unwrap();
        let said = words(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains(name), "{name}: {said}");
        let after = tree(node);
        let changed: Vec<_> = before.symmetric_difference(&after).collect();
        assert!(changed.is_empty(), "{name}: {changed:#?}");
    };
    let file = File::options().read(true).write(true).open(&bundle).unwrap();
    for Damage { at, name } in damages(&bundle, &file) {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1], at).unwrap();
        refused(&name);
        file.write_all_at(&byte, at).unwrap();
    }
    let length = file.metadata().unwrap().len();
    file.set_len(length - 4096).unwrap();
    refused("lab.tar");
}

/// A line for each file.
fn tree(node: &Node) -> BTreeSet<String> {
    node.run(["sh", "-c", TREE]).unwrap().lines().map(str::to_owned).collect()
}

fn damages(path: &Path, file: &File) -> Vec<Damage> {
    let bundle = Bundle::open(path).unwrap();
    let places = places(file);
    let mut kinds = Vec::new();
    let mut found = vec![Damage { at: places["index.json"], name: "lab.tar".to_owned() }];
    for content in bundle.contents() {
        if !kinds.contains(&discriminant(&content.path)) {
            kinds.push(discriminant(&content.path));
            let at = places[&blob_name(content.descriptor.digest)];
            found.push(Damage { at, name: content.path.to_string() });
        }
    }
    let image = &bundle.lock().images[0];
    let layer = image.platforms[0].layers.last().unwrap();
    found.push(Damage { at: places[&blob_name(layer.digest)], name: image.name.to_string() });
    assert!(found.len() > 6, "{} kinds", found.len());
    found
}

/// The middle byte of each file of the archive.
fn places(file: &File) -> BTreeMap<String, u64> {
    let (mut at, mut found) = (0, BTreeMap::new());
    loop {
        let mut header = [0; 512];
        file.read_exact_at(&mut header, at).unwrap();
        let text = |range: std::ops::Range<usize>| {
            String::from_utf8_lossy(&header[range]).trim_matches('\0').to_owned()
        };
        if text(0..100).is_empty() {
            return found;
        }
        let size = u64::from_str_radix(text(124..136).trim(), 8).unwrap();
        found.insert(text(0..100), at + 512 + size / 2);
        at += 512 + size.next_multiple_of(512);
    }
}
