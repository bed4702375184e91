//! One page of HTML about a bundle, for who must approve it: what it is, what changed, who
//! vouches for it, and what worries. It needs no network and no other file.

mod anchors;
mod answers;
mod approval;
mod bytes;
mod changes;
mod checks;
#[cfg(test)]
mod contrast;
mod entry;
mod everything;
mod facts;
mod frame;
mod keys;
mod patches;
mod picture;
mod places;
mod share;
mod shown;
mod signer;
mod squares;
mod terms;
mod vouchers;
mod worries;

use std::time::SystemTime;

use bundle_format::archive::reader::Bundle;
use maud::html;

use self::facts::Facts;

/// The page about a bundle, as HTML. It has what changed since the bundle `before`, if there
/// is one. Keys are judged as of `now`, and the page names only the day of that: the same
/// bundle gives the same page all day. Reads all packages.
pub fn page(bundle: &Bundle, before: Option<&Bundle>, now: SystemTime) -> anyhow::Result<String> {
    let facts = Facts::of(bundle, before, now)?;
    let main = html! {
        (answers::section(&facts))
        (frame::contents(&facts))
        (terms::list())
        (changes::section(&facts))
        (checks::section(&facts))
        (places::section(&facts))
        (bytes::section(&facts))
        (vouchers::section(&facts))
        (patches::section(&facts))
        (everything::section(&facts))
        (vouchers::licences(&facts))
        (approval::section(&facts))
    };
    Ok(frame::page(&facts, &main).into_string())
}

/// Whether a file that begins so is such a page, and not another one.
pub fn begins(head: &[u8]) -> bool {
    let mark = format!("name=\"generator\" content=\"{}\"", frame::GENERATOR);
    head.starts_with(b"<!DOCTYPE html>")
        && head.windows(mark.len()).any(|part| part == mark.as_bytes())
}
