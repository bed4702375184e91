//! The lines of a file that is edited: as bytes, with their ends, so that what is not
//! ours stays as it is, whatever letters and line breaks it has.

use std::borrow::Cow;

/// Each line with its end; the last may have none.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// A line to look at, without its end, be that of Unix or of Windows.
pub(super) fn shown(line: &[u8]) -> Cow<'_, str> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Ends the last line, so that another can follow it.
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
