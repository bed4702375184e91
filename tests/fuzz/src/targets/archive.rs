use std::fs;

use bundle_format::BundlePath;
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::{verify::verify, writer};
use bundle_format::layout::{Content, Layout};

use super::READ;
use crate::node::folder;

const BLOCK: usize = 512;

/// A bundle, as it is and with the right sum in each header. If it is good, it is what
/// its lock gives, byte for byte.
pub(super) fn archive(bytes: &[u8]) -> String {
    let outcome = read(bytes);
    if outcome == READ {
        return outcome;
    }
    read(&summed(bytes))
}

fn read(bytes: &[u8]) -> String {
    let folder = folder();
    let path = folder.path().join("odd.tar");
    fs::write(&path, bytes).expect("there is room");
    let bundle = match Bundle::open(&path) {
        Ok(bundle) => bundle,
        Err(error) => return error.to_string(),
    };
    if let Some(report) = verify(&bundle, |_| ()).report() {
        return report;
    }
    assert_eq!(again(&bundle), bytes, "a byte that nothing guards");
    READ.to_owned()
}

/// The bundle that its lock gives.
fn again(bundle: &Bundle) -> Vec<u8> {
    let files = bundle.contents().iter();
    let made = files.filter(|file| matches!(file.path, BundlePath::Repodata { .. }));
    let made: Vec<Content> = made.cloned().collect();
    let layout = Layout::new(bundle.lock(), &made).expect("a layout is JSON");
    let layout = layout.without(bundle.lock(), |digest| bundle.lacks(digest));
    let mut bytes = Vec::new();
    let open = |blob: &_| bundle.open_blob(blob).map_err(std::io::Error::other);
    writer::write(&mut bytes, &layout, open, |_| ()).expect("memory takes it");
    bytes
}

/// The same with the sum that tar wants in each header, as far as the sizes lead.
fn summed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(header) = bytes.get_mut(at..at + BLOCK) {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let size = String::from_utf8_lossy(&header[124..135]).into_owned();
        let size = usize::from_str_radix(&size, 8).unwrap_or(0).min(bytes.len());
        at += BLOCK + size.next_multiple_of(BLOCK);
        if bytes.get(at..).is_none_or(|rest| rest.iter().all(|byte| *byte == 0)) {
            break;
        }
    }
    bytes
}
