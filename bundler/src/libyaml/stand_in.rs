//! Placeholder characters for a text that libyaml reads. Today's libyaml reads some
//! texts differently from kubectl's reader, which was made from an older one. So
//! these characters are replaced before reading, and put back afterwards. Each
//! replaces one byte by one byte, so that all places stay the same.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{BufRead, Read};

use libyaml_safer::{Event, EventData, Parser, ScalarStyle};

/// libyaml's messages for a text without quotes in `[…]` or `{…}` that ends in `:`,
/// such as `fd00::`, and for `\'` in double quotes.
pub(super) const REFUSED: [&str; 2] = ["found unexpected ':'", "found unknown escape character"];
/// How many of them are replaced in a document.
const MAX_REFUSED: usize = 200;

/// A text to read, and the characters that its placeholders stand for.
pub(super) struct Disguised<'a> {
    pub(super) text: Cow<'a, str>,
    /// Stands for `:` in texts without quotes. In double quotes, two of them
    /// stand for `\'`.
    refused: Option<char>,
    mark: Option<char>,
}

/// Replaces the `!` of each `!…,` that may be a tag, because the library ends the
/// program at such a tag. `None` if no character is free as a placeholder.
pub(super) fn without_tags_before_commas(text: &str) -> Option<Disguised<'_>> {
    let places: Vec<usize> = text
        .match_indices('!')
        .map(|(place, _)| place)
        .filter(|place| {
            let before = text.get(..*place).and_then(|before| before.chars().next_back());
            before.is_none_or(|c| !c.is_alphanumeric())
        })
        .filter(|place| {
            let rest = text.get(*place..).unwrap_or_default();
            let end = match rest.starts_with("!<") {
                true => rest.find('>').map(|end| end + 1),
                // A quote may be in a tag; within quotes, all is put back.
                false => rest.find(|c: char| c.is_whitespace() || ",[]{}\"".contains(c)),
            };
            end.and_then(|end| rest.get(end..)).is_some_and(|rest| rest.starts_with(','))
        })
        .collect();
    if places.is_empty() {
        return Some(Disguised { text: Cow::Borrowed(text), refused: None, mark: None });
    }
    let mark = unused(text)?;
    let mut text = text.to_owned();
    for place in places {
        text.replace_range(place..=place, mark.encode_utf8(&mut [0; 4]));
    }
    Some(Disguised { text: Cow::Owned(text), refused: None, mark: Some(mark) })
}

/// A character that is not in the text, and that no escape in it makes.
fn unused(text: &str) -> Option<char> {
    let mut candidates = "~^$;()<+=_`@".chars().chain('0'..='9').chain('a'..='z').chain('A'..='Z');
    let made: HashSet<char> =
        text.match_indices('\\').filter_map(|(at, _)| escaped(text, at)).collect();
    candidates.find(|c| !text.contains(*c) && !made.contains(c))
}

/// The character that the escape by its number at `place` makes, in double quotes.
fn escaped(text: &str, place: usize) -> Option<char> {
    let escape = text.get(place + 1..)?;
    let length = match escape.chars().next()? {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return None,
    };
    char::from_u32(u32::from_str_radix(escape.get(1..=length)?, 16).ok()?)
}

impl Disguised<'_> {
    /// The same, with all characters replaced that only libyaml refuses.
    pub(super) fn with_what_kubectl_takes(self) -> Option<Self> {
        let stand_in = unused(&self.text)?;
        let mut text = self.text.into_owned();
        for _ in 0..MAX_REFUSED {
            let Some(place) = refused(&text) else {
                return Some(Self { text: Cow::Owned(text), refused: Some(stand_in), ..self });
            };
            let rest = text.get(place..).unwrap_or_default();
            let length = match rest.starts_with(':') {
                true => 1,
                false if rest.starts_with("\\'") => 2,
                false => return None,
            };
            text.replace_range(place..place + length, &stand_in.to_string().repeat(length));
        }
        None
    }

    /// The event as it would be without placeholders. `None` if it is a tag after
    /// all.
    pub(super) fn undone(&self, mut event: Event) -> Option<Event> {
        if let EventData::Scalar { value, style, .. } = &mut event.data {
            let is_plain = *style == ScalarStyle::Plain;
            if let Some(mark) = self.mark {
                if is_plain && value.starts_with(mark) {
                    return None;
                }
                *value = value.replace(mark, "!");
            }
            match (self.refused, *style) {
                (Some(one), ScalarStyle::Plain) => *value = value.replace(one, ":"),
                (Some(one), ScalarStyle::DoubleQuoted) => {
                    *value = value.replace(&one.to_string().repeat(2), "'");
                }
                _ => {}
            }
        }
        Some(event)
    }
}

/// A text as the library is given it. It takes a character whose first byte is that of a byte
/// order mark for one, unless there is a real one, which it does not count.
pub(super) fn input(text: &str) -> impl BufRead {
    let mark = if text.as_bytes().first() == Some(&0xef) { "\u{feff}" } else { "" };
    mark.as_bytes().chain(text.as_bytes())
}

/// The first byte that libyaml refuses and kubectl might accept.
fn refused(text: &str) -> Option<usize> {
    let mut input = input(text);
    let mut parser = Parser::new();
    parser.set_input(&mut input);
    loop {
        match parser.parse() {
            Ok(Event { data: EventData::StreamEnd, .. }) => return None,
            Ok(_) => {}
            Err(error) if REFUSED.contains(&error.problem()) => {
                return error.problem_mark().and_then(|mark| usize::try_from(mark.index).ok());
            }
            Err(_) => return None,
        }
    }
}
