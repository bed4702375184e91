use std::path::Path;

use installer::steps::swap::Swap;

use super::READ;
use crate::node::settle;

const FSTAB: &str = "/etc/fstab";
const COMMENT: &[u8] = b"# kubeferry: ";

/// `/etc/fstab`. Lines of swap become comments, and every byte is still there.
pub(super) fn fstab(bytes: &[u8]) -> String {
    let settled = settle(&Swap, &[(FSTAB, bytes)], |_| None);
    if let Some(refusal) = settled.refusal {
        return refusal;
    }
    let lines = |text: &[u8]| -> Vec<Vec<u8>> {
        text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    };
    let after = settled.written.get(Path::new(FSTAB)).map_or(bytes, Vec::as_slice);
    let (before, after) = (lines(bytes), lines(after));
    assert_eq!(before.len(), after.len());
    for (old, new) in before.iter().zip(&after) {
        assert!(old == new || new.strip_prefix(COMMENT) == Some(old), "{}", text(new));
    }
    format!("{READ}: {}", before != after)
}

fn text(line: &[u8]) -> String {
    line.escape_ascii().to_string()
}
