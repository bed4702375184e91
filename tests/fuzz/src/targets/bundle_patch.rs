use std::fs;

use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify::verify;
use bundle_format::damage::patch;

use super::{READ, good_map};
use crate::node::folder;
use crate::small_bundle;

/// A byte of the bundle's lock, in the first chunk.
const DAMAGED: usize = 4000;

/// The patch of a damaged bundle. What comes of both is the good bundle, or an error.
pub(super) fn bundle_patch(bytes: &[u8]) -> String {
    let folder = folder();
    let path = folder.path().join("odd.tar");
    let good = small_bundle::bytes();
    let mut bad = good.clone();
    bad[DAMAGED] ^= 1;
    fs::write(&path, bad).expect("there is room");
    fs::write(folder.path().join("odd.tar.patch"), bytes).expect("there is room");
    let bundle = match Bundle::open(&path) {
        Ok(bundle) => bundle,
        Err(error) => return error.to_string(),
    };
    if let Some(report) = verify(&bundle, |_| ()).report() {
        return report;
    }
    let mut found = vec![0; good.len()];
    bundle.read_archive_at(&mut found, 0).expect("it was read before");
    assert_eq!(found, good, "a byte that nothing guards");
    READ.to_owned()
}

/// The patch of the small bundle.
pub(crate) fn good() -> Vec<u8> {
    let bytes = small_bundle::bytes();
    let own = (Digest::of(&small_bundle::index()), bytes.len() as u64);
    let read = |buffer: &mut [u8], at: u64| {
        let from = usize::try_from(at).expect("it is small");
        buffer.copy_from_slice(&bytes[from..from + buffer.len()]);
        Ok(())
    };
    let mut out = Vec::new();
    patch::write(&mut out, &good_map(), own, read).expect("there is room");
    out
}
