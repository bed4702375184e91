//! The lines of an edited file, as bytes with their line breaks. Lines that are not
//! ours stay exactly as they are, in any encoding.

use std::borrow::Cow;

/// Each line with its line break; the last one may have none.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// A line as text, without its line break, of Unix or Windows.
pub(super) fn shown(line: &[u8]) -> Cow<'_, str> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Adds a missing line break at the end, so that a line can follow.
pub(super) fn end_last(text: &mut Vec<u8>) {
    if text.last().is_some_and(|byte| *byte != b'\n') {
        text.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_ends_and_show_none() {
        let text = b"a\r\n\n\xdf \r\nlast";
        assert_eq!(lines(text).collect::<Vec<_>>().concat(), text);
        let shown: Vec<_> = lines(text).map(shown).collect();
        assert_eq!(shown, ["a", "", "\u{fffd} ", "last"]);
    }
}
