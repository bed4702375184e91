//! Texts: types that are written as one in JSON, with the spelling of their
//! `Display`; and a stranger's, which become printable here and nowhere else.
//!
//! Two things are kept from a terminal and a log. Characters that move a cursor,
//! hide, or turn the text around are filtered by the writers [`stdout`] and
//! [`stderr`], which no caller can forget: clippy refuses the standard library's.
//! A line break of a stranger's would forge a line of ours: who shows a stranger's
//! text on a line of its own asks [`printable`], and an error's words go through
//! [`indented`].

use std::borrow::Cow;
use std::io::{self, Write};

use crate::output::Quiet;

/// Gives a type serde's traits by way of its `Display` and `FromStr`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use serde_as_text;

/// How much of a stranger's text an error quotes, in characters.
const BRIEF: usize = 200;

/// Whether a character does something else than to stand there: controls (C0, DEL
/// and C1), line and paragraph separators, and Unicode's format characters, among
/// them those that turn the direction of what follows, those without width, and those that
/// are blank (Unicode's `Default_Ignorable_Code_Point`).
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A stranger's text on one line, with nothing hidden in it.
pub fn printable(text: &str) -> String {
    escaped(text, is_hidden).into_owned()
}

/// The same, cut where it is long: for errors, which may quote anything.
pub fn brief(text: &str) -> String {
    let mut shown: String = printable(text.get(..8 * BRIEF).unwrap_or(text));
    if let Some((end, _)) = shown.char_indices().nth(BRIEF) {
        shown.truncate(end);
        shown.push('…');
    }
    shown
}

/// A text of several lines as part of ours: all lines but the first begin with
/// four spaces, so that none can be taken for one of ours.
pub fn indented(text: &str) -> String {
    text.trim_end_matches('\n').replace('\n', "\n    ")
}

/// So many of something: `1 change`, `2 entries`.
pub fn count(number: usize, one: &str) -> String {
    match (number, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {one}s"),
    }
}

/// Writes what [`plain_json`] makes of a large text. It copies only a piece at a time.
pub fn write_plain_json(out: &mut impl Write, json: &str) -> io::Result<()> {
    let mut rest = json;
    while !rest.is_empty() {
        let most = PIECE.min(rest.len());
        // A character has at most four bytes.
        let end =
            (0..4).map(|back| most.saturating_sub(back)).find(|end| rest.is_char_boundary(*end));
        let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
        out.write_all(plain_json(piece).as_bytes())?;
        rest = after;
    }
    Ok(())
}

/// JSON with the same values, in which nothing hidden stands as it is.
pub fn plain_json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for character in json.chars() {
        match is_hidden(character) && !matches!(character, '\n' | '\t') {
            true => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    plain += &format!("\\u{unit:04x}");
                }
            }
            false => plain.push(character),
        }
    }
    plain
}

fn escaped(text: &str, is_bad: fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(is_bad) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match is_bad(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown.into()
}

/// How many bytes of a large text are copied at a time.
const PIECE: usize = 64 << 10;

/// A writer of text that lets nothing hidden through but line breaks and tabs:
/// all else, and what is no UTF-8, is written as an escape that can be read.
#[derive(Debug)]
pub struct Printable<W: Write> {
    inner: W,
    /// The beginning of a character that is not whole yet.
    begun: Vec<u8>,
}

impl<W: Write> Printable<W> {
    /// Text for `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, begun: Vec::new() }
    }
}

impl<W: Write> Write for Printable<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = bytes.get(..PIECE).unwrap_or(bytes);
        let is_bad = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t');
        let all = [std::mem::take(&mut self.begun).as_slice(), bytes].concat();
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            let (text, bad) = match std::str::from_utf8(rest) {
                Ok(text) => (text, 0),
                Err(error) => {
                    let (good, after) = rest.split_at(error.valid_up_to());
                    let Some(bad) = error.error_len() else {
                        self.begun = after.to_owned();
                        let text = std::str::from_utf8(good).unwrap_or_default();
                        self.inner.write_all(escaped(text, is_bad).as_bytes())?;
                        break;
                    };
                    (std::str::from_utf8(good).unwrap_or_default(), bad)
                }
            };
            self.inner.write_all(escaped(text, is_bad).as_bytes())?;
            let end = text.len() + bad;
            for byte in rest.get(text.len()..end).unwrap_or_default() {
                write!(self.inner, "\\x{byte:02x}")?;
            }
            rest = rest.get(end..).unwrap_or_default();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        for byte in std::mem::take(&mut self.begun) {
            write!(self.inner, "\\x{byte:02x}")?;
        }
        self.inner.flush()
    }
}

/// Standard output, for text.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn stdout() -> Printable<Quiet<io::Stdout>> {
    Printable::new(Quiet::new(io::stdout()))
}

/// Standard error, for text.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn stderr() -> Printable<Quiet<io::Stderr>> {
    Printable::new(Quiet::new(io::stderr()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}[2J\r\u{7}\u{8}\u{7f}\u{9b}\u{202e}\u{2066}\u{2028}\u{200b}é漢";

    fn written(pieces: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut writer = Printable::new(&mut out);
        pieces.iter().for_each(|piece| writer.write_all(piece).unwrap());
        writer.flush().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_large_text_is_the_same_in_pieces() {
        // Its characters lie across the ends of pieces.
        let large = format!("a{}\u{200b}", "漢".repeat(PIECE));
        assert_eq!(written(&[large.as_bytes()]), printable(&large));
        let mut json = Vec::new();
        write_plain_json(&mut json, &large).unwrap();
        assert_eq!(String::from_utf8(json).unwrap(), plain_json(&large));
    }

    #[test]
    fn one_is_not_several() {
        assert_eq!(count(1, "change"), "1 change");
        assert_eq!(count(0, "change"), "0 changes");
        assert_eq!((count(2, "entry"), count(2, "key")), ("2 entries".into(), "2 keys".into()));
    }

    #[test]
    fn what_hides_is_shown_and_what_shows_stays() {
        let shown = printable(HOSTILE);
        assert_eq!(
            shown,
            "a\\u{1b}[2J\\r\\u{7}\\u{8}\\u{7f}\\u{9b}\\u{202e}\\u{2066}\\u{2028}\\u{200b}é漢"
        );
        assert_eq!(printable("a\nhint: b\tc"), "a\\nhint: b\\tc");
        assert_eq!(written(&[HOSTILE.as_bytes()]), shown);
        assert_eq!(written(&[b"a\tb\n\xc3\xa9\n"]), "a\tb\né\n");
    }

    #[test]
    fn a_writer_takes_bytes_as_they_come() {
        for place in 0..HOSTILE.len() {
            let (before, after) = HOSTILE.as_bytes().split_at(place);
            assert_eq!(written(&[before, after]), printable(HOSTILE), "{place}");
        }
        // A C1 control as one byte, which a terminal of Latin-1 obeys.
        assert_eq!(written(&[b"a\x9b2Jb\xff"]), "a\\x9b2Jb\\xff");
        assert_eq!(written(&[b"a\xe2\x82"]), "a\\xe2\\x82");
    }

    #[test]
    fn json_keeps_its_values() {
        let value = serde_json::json!({ "a": HOSTILE, "b": "\u{e0041}\n" });
        let json = serde_json::to_string_pretty(&value).unwrap();
        let plain = plain_json(&json);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&plain).unwrap(), value);
        assert!(!plain.contains(|c: char| is_hidden(c) && c != '\n'), "{plain}");
    }

    #[test]
    fn long_and_several_lines_stay_within_ours() {
        assert_eq!(brief(&"é".repeat(5000)).chars().count(), BRIEF + 1);
        assert_eq!(brief("short"), "short");
        assert_eq!(indented("a\nhint: b\n"), "a\n    hint: b");
    }
}
