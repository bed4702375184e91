//! Breaks inputs at random.

use fastrand::Rng;

/// The most bytes of an input. Parsers are as wrong about short texts as about long
/// ones, and take less time.
const LONGEST: usize = 8 << 10;
/// The most changes at once.
const CHANGES: usize = 6;

/// What parsers stumble over.
const ODD: [&[u8]; 40] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b"0",
    b"-1",
    b"1e999",
    b"2147483648",
    b"4294967295",
    b"9223372036854775807",
    b"18446744073709551616",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\"",
    b"'",
    b"\\",
    b"`",
    b"#",
    b":",
    b": ",
    b"-",
    b"- ",
    b"~",
    b"^",
    b"@",
    b"%",
    b"../",
    b"&a",
    b"*a",
    b"<<: ",
    b"---\n",
    b"null",
    b"<![CDATA[",
    b"&#0;",
];
/// What opens something that must be closed.
const OPENING: [&[u8]; 6] = [b"(", b"[", b"{", b"<a>", b"- ", b"a:\n "];

/// One of `pool`, with some changes. `pool` has at least one input.
pub fn mutated(pool: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = one_of(pool, rng).clone();
    for _ in 0..rng.usize(1..=CHANGES) {
        change(&mut bytes, pool, rng);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(bytes: &mut Vec<u8>, pool: &[Vec<u8>], rng: &mut Rng) {
    let at = rng.usize(0..=bytes.len());
    let odd = *one_of(&ODD, rng);
    match rng.u8(0..11) {
        0 => flip(bytes, rng),
        1 => replace(bytes, at, 0, odd),
        2 => replace(bytes, at, 1, odd),
        // A part goes, or is there twice.
        3 => replace(bytes, at, some(rng), b""),
        4 => {
            let part = part(bytes, rng).to_vec();
            replace(bytes, at, 0, &part);
        }
        // A part of another takes a place.
        5 | 6 => {
            let other = one_of(pool, rng);
            let part = part(other, rng).to_vec();
            let length = if rng.bool() { part.len() } else { 0 };
            replace(bytes, at, length, &part);
        }
        // A word becomes another one.
        7 | 8 => {
            let (own, other) = (words(bytes), one_of(pool, rng));
            let others = words(other);
            if !own.is_empty() && !others.is_empty() {
                let (start, end) = *one_of(&own, rng);
                let (from, to) = *one_of(&others, rng);
                replace(bytes, start, end - start, &other[from..to]);
            }
        }
        9 => {
            let times = rng.usize(1..400);
            replace(bytes, at, 0, &one_of(&OPENING, rng).repeat(times));
        }
        _ => bytes.truncate(at),
    }
}

fn flip(bytes: &mut [u8], rng: &mut Rng) {
    if !bytes.is_empty() {
        let at = rng.usize(..bytes.len());
        bytes[at] ^= 1 << rng.u8(0..8);
    }
}

/// Replaces `length` bytes, or as many as there are.
fn replace(bytes: &mut Vec<u8>, at: usize, length: usize, new: &[u8]) {
    let end = (at + length).min(bytes.len());
    bytes.splice(at..end, new.iter().copied());
}

/// A number that is mostly small.
fn some(rng: &mut Rng) -> usize {
    let most = 1 << rng.u32(1..9);
    rng.usize(1..=most)
}

fn part<'a>(bytes: &'a [u8], rng: &mut Rng) -> &'a [u8] {
    let start = rng.usize(0..=bytes.len());
    let end = (start + some(rng)).min(bytes.len());
    &bytes[start..end]
}

/// Where words and numbers begin and end.
fn words(bytes: &[u8]) -> Vec<(usize, usize)> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut found = Vec::new();
    let mut start = None;
    for (at, byte) in bytes.iter().enumerate() {
        match (is_word(byte), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    found.extend(start.map(|from| (from, bytes.len())));
    found
}

fn one_of<'a, T>(all: &'a [T], rng: &mut Rng) -> &'a T {
    &all[rng.usize(..all.len())]
}
