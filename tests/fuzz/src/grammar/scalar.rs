//! The ways in which YAML writes a text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;

use super::{one_of, rarely};

// Not `!!binary`, but for a text in base64: of bytes that are no UTF-8, each language
// makes its own text.
const TAGS: [&str; 8] =
    ["!!str", "!!int", "!!float", "!!bool", "!!null", "!", "!own", "!!timestamp"];

/// A text on one line, which may stand in `[…]` and `{…}` too.
pub(super) fn short(text: &str, rng: &mut Rng) -> String {
    if rarely(60, rng) {
        return format!("!!binary {}", STANDARD.encode(text));
    }
    let tag = if rarely(30, rng) { format!("{} ", one_of(&TAGS, rng)) } else { String::new() };
    let written = match rng.u32(..6) {
        0 => format!("'{}'", text.replace('\'', "''").replace('\n', " ")),
        1 => double(text, rng),
        _ if text.contains('\n') => double(text, rng),
        // As it is, also where it then means something else.
        _ => text.to_owned(),
    };
    tag + &written
}

fn double(text: &str, rng: &mut Rng) -> String {
    let mut written = String::from('"');
    for c in text.chars() {
        match c {
            '\n' => written += "\\n",
            '"' | '\\' => written.extend(['\\', c]),
            _ if rarely(20, rng) => written += &format!("\\u{:04X}", u32::from(c) & 0xffff),
            '/' if rarely(10, rng) => written += "\\/",
            c => written.push(c),
        }
    }
    if rarely(20, rng) {
        // The last ones are what our reader puts in the place of other characters.
        written += one_of(
            &[
                "\\x41",
                "\\x7e",
                "\\x7E\\u007e",
                "\\U0000005e^",
                "!x, ",
                "\\t",
                "\\_",
                "\\e",
                "\\'",
                "\\0",
                "\\q",
            ],
            rng,
        );
    }
    written + "\""
}

/// A text that may go over several lines, behind a key or a `-`. Its other lines are
/// `indent` deep.
pub(super) fn long(text: &str, indent: usize, rng: &mut Rng) -> String {
    match rng.u32(..8) {
        0 | 1 => block(text, indent, rng),
        2 if text.contains(' ') => folded(text, indent, rng),
        _ if text.contains('\n') && rng.bool() => block(text, indent, rng),
        _ => short(text, rng),
    }
}

/// `|` and `>`.
fn block(text: &str, indent: usize, rng: &mut Rng) -> String {
    let mut written = one_of(&["|", "|", ">", "|-", "|+", ">-", ">+"], rng).to_owned();
    let depth = indent.max(1) + rng.usize(..2);
    if rarely(6, rng) {
        written += &(depth + 1 - indent.max(1)).to_string();
    }
    written += one_of(&["", "", "", " # a comment", "  "], rng);
    for line in text.split('\n') {
        let is_blank = line.is_empty() && rng.bool();
        let depth = if is_blank { rng.usize(..=depth) } else { depth };
        written += &format!("\n{}{line}", " ".repeat(depth));
    }
    if rarely(4, rng) {
        written += one_of(&["\n", "\n\n", "\n# no part of it", "\n \t"], rng);
    }
    written
}

/// The words of a text on several lines, with or without quotes.
fn folded(text: &str, indent: usize, rng: &mut Rng) -> String {
    let quote = one_of(&["", "'", "\""], rng);
    let pad = format!("{}{}", one_of(&["\n", "\n\n", " \n"], rng), " ".repeat(indent.max(1)));
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    format!("{quote}{}{quote}", words.join(&pad))
}
