use std::fs::{self, File};

use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify::verify;
use bundle_format::damage::chunk::CHUNK;
use bundle_format::damage::plan::Plan;
use bundle_format::damage::{Head, make};

use super::READ;
use crate::node::folder;
use crate::small_bundle;

/// A byte of the bundle's lock.
const DAMAGED: usize = 4000;

/// The parity file of a damaged bundle, as it is and with the right sum in each record. What
/// comes of both is the good bundle, or an error.
pub(super) fn parity(bytes: &[u8]) -> String {
    let outcome = repaired("odd.tar.parity", bytes);
    if outcome == READ {
        return outcome;
    }
    repaired("odd.tar.parity", &summed(bytes))
}

/// What comes of the damaged bundle `odd.tar` with these bytes in a file beside it.
pub(super) fn repaired(beside: &str, bytes: &[u8]) -> String {
    let folder = folder();
    let path = folder.path().join("odd.tar");
    let good = small_bundle::bytes();
    let mut bad = good.clone();
    bad[DAMAGED] ^= 1;
    fs::write(&path, bad).expect("there is room");
    fs::write(folder.path().join(beside), bytes).expect("there is room");
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

/// The same with the right checksum in each record.
fn summed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for record in bytes.chunks_exact_mut(CHUNK) {
        let (body, sum) = record.split_at_mut(CHUNK - 4);
        sum.copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    }
    bytes
}

/// The parity file of the small bundle.
pub(crate) fn good() -> Vec<u8> {
    let bytes = small_bundle::bytes();
    let bundle = Digest::of(&small_bundle::index());
    let share = "50%".parse().expect("it is a share");
    let plan = Plan::new(bytes.len() as u64, share).expect("it is small");
    let folder = folder();
    let path = folder.path().join("good.parity");
    let out = File::create(&path).expect("there is room");
    let read = |buffer: &mut [u8], at: u64| {
        let from = usize::try_from(at).expect("it is small");
        buffer.copy_from_slice(&bytes[from..from + buffer.len()]);
        Ok(())
    };
    make::write(&out, &Head { bundle, plan }, read, |_| ()).expect("there is room");
    fs::read(&path).expect("it was written")
}
