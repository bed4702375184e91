use bundle_format::Digest;
use bundle_format::damage::patch;

use super::good_map;
use super::parity::repaired;
use crate::small_bundle;

/// The patch of a damaged bundle. What comes of both is the good bundle, or an error.
pub(super) fn bundle_patch(bytes: &[u8]) -> String {
    repaired("odd.tar.patch", bytes)
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
