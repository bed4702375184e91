//! Detached signatures, as they come in a file.

use pgp::composed::{Deserializable, DetachedSignature};

/// The first line of an armored signature.
const BEGIN: &[u8] = b"-----BEGIN";

/// All signatures of a file: binary, or armored, in one armor or in several. gpg reads those of
/// several too.
pub(super) fn signatures(file: &[u8]) -> pgp::errors::Result<Vec<DetachedSignature>> {
    if !file.starts_with(BEGIN) {
        return DetachedSignature::from_bytes_many(file)?.collect();
    }
    let mut all = Vec::new();
    for block in blocks(file) {
        for signature in DetachedSignature::from_armor_many(block)?.0 {
            all.push(signature?);
        }
    }
    Ok(all)
}

/// The armors of a file, each with what follows it.
fn blocks(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let begins = |at: &usize| {
        let is_first = at.checked_sub(1).is_none_or(|before| file.get(before) == Some(&b'\n'));
        is_first && file.get(*at..).is_some_and(|rest| rest.starts_with(BEGIN))
    };
    let starts: Vec<usize> = (0..file.len()).filter(begins).collect();
    let ends = starts.iter().copied().skip(1).chain([file.len()]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).filter_map(|(start, end)| file.get(start..end))
}
