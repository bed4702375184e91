use std::fs;

use bundle_format::archive::reader::Bundle;

use super::outcome;
use crate::node::folder;
use crate::small_bundle;

/// The `index.json` of a bundle that is right otherwise. Only its own is taken.
pub(super) fn index(bytes: &[u8]) -> String {
    let folder = folder();
    let path = folder.path().join("odd.tar");
    fs::write(&path, small_bundle::with_index(bytes)).expect("there is room");
    let opened = Bundle::open(&path);
    assert_eq!(opened.is_ok(), bytes == small_bundle::index());
    outcome(opened)
}
