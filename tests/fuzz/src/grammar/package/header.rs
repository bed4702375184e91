//! A header of a package, as rpm's `docs/manual/format_header.md` has it: an index of
//! entries, and their data.

use fastrand::Rng;

use crate::grammar::{one_of, rarely};

/// The bytes before the index.
const INTRO: usize = 16;
/// The bytes of an entry in the index.
const ENTRY: usize = 16;
const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];

/// The types of entries that are made here.
pub(super) const INT32: u32 = 4;
pub(super) const TEXT: u32 = 6;
pub(super) const BYTES: u32 = 7;
pub(super) const TEXTS: u32 = 8;

/// An entry with its data.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) tag: u32,
    pub(super) kind: u32,
    pub(super) count: u32,
    pub(super) data: Vec<u8>,
}

impl Entry {
    pub(super) fn new(tag: u32, kind: u32, data: &[u8]) -> Self {
        let (count, end) = match kind {
            INT32 => (data.len() / 4, &[][..]),
            TEXT | TEXTS => (1, &[0][..]),
            _ => (data.len(), &[][..]),
        };
        Self { tag, kind, count: count as u32, data: [data, end].concat() }
    }

    fn width(&self) -> usize {
        match self.kind {
            3 => 2,
            INT32 => 4,
            5 => 8,
            _ => 1,
        }
    }
}

pub(super) fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("they are four"))
}

/// How long the header at the beginning of these bytes is.
pub(super) fn length(bytes: &[u8]) -> usize {
    INTRO + number(bytes, 8) as usize * ENTRY + number(bytes, 12) as usize
}

/// The entries of a header without faults, without that of its region.
pub(super) fn read(bytes: &[u8]) -> Vec<Entry> {
    let count = number(bytes, 8) as usize;
    let data = &bytes[INTRO + count * ENTRY..length(bytes)];
    let index = (0..count).map(|place| INTRO + place * ENTRY);
    let entries = index.map(|at| [0, 4, 8, 12].map(|field| number(bytes, at + field)));
    let entries: Vec<[u32; 4]> = entries.filter(|[tag, ..]| *tag >= 100).collect();
    entries
        .iter()
        .map(|[tag, kind, offset, count]| {
            let rest = &data[*offset as usize..];
            let ends = rest.iter().enumerate().filter(|(_, byte)| **byte == 0);
            let length = match *kind {
                TEXT | TEXTS | 9 => {
                    ends.map(|(at, _)| at + 1).nth(*count as usize - 1).expect("it ends")
                }
                3 => *count as usize * 2,
                INT32 => *count as usize * 4,
                5 => *count as usize * 8,
                _ => *count as usize,
            };
            Entry { tag: *tag, kind: *kind, count: *count, data: rest[..length].to_vec() }
        })
        .collect()
}

/// Writes a header with a region of this tag. Some entries, the last ones, may be outside of
/// the region.
pub(super) fn write(entries: &[Entry], region: u32, outside: usize) -> Vec<u8> {
    let (inside, outside) = entries.split_at(entries.len() - outside);
    let (mut index, mut data) = (Vec::new(), Vec::new());
    let put = |entry: &Entry, index: &mut Vec<u8>, data: &mut Vec<u8>| {
        data.resize(data.len().next_multiple_of(entry.width()), 0);
        for field in [entry.tag, entry.kind, data.len() as u32, entry.count] {
            index.extend(field.to_be_bytes());
        }
        data.extend(&entry.data);
    };
    inside.iter().for_each(|entry| put(entry, &mut index, &mut data));
    let back = 0_u32.wrapping_sub(((inside.len() + 1) * ENTRY) as u32);
    let region_entry = [region, BYTES, data.len() as u32, ENTRY as u32];
    data.extend([region, BYTES, back, ENTRY as u32].into_iter().flat_map(u32::to_be_bytes));
    outside.iter().for_each(|entry| put(entry, &mut index, &mut data));
    let mut bytes = MAGIC.to_vec();
    bytes.extend((entries.len() as u32 + 1).to_be_bytes());
    bytes.extend((data.len() as u32).to_be_bytes());
    bytes.extend(region_entry.into_iter().flat_map(u32::to_be_bytes));
    [bytes, index, data].concat()
}

/// Changes a field of the index, of the region's end or of the intro, as if by hand.
pub(super) fn break_index(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let count = number(bytes, 8) as usize;
    let entry = INTRO + rng.usize(..count) * ENTRY;
    let region_end = INTRO + count * ENTRY + number(bytes, INTRO + 8) as usize;
    let region_end = region_end.min(bytes.len() - ENTRY);
    match rng.u32(..12) {
        0 => bytes[rng.usize(..8)] ^= 1 << rng.u32(..8),
        1 => change(bytes, one_of(&[8, 12], rng), rng),
        2 => change(bytes, region_end + rng.usize(..4) * 4, rng),
        3 => change(bytes, INTRO + rng.usize(..4) * 4, rng),
        4 => {
            // Two entries change places.
            let other = INTRO + rng.usize(..count) * ENTRY;
            let one: Vec<u8> = bytes[entry..entry + ENTRY].to_vec();
            bytes.copy_within(other..other + ENTRY, entry);
            bytes[other..other + ENTRY].copy_from_slice(&one);
        }
        5 => {
            // An entry takes the tag of another.
            let other = INTRO + rng.usize(..count) * ENTRY;
            bytes.copy_within(other..other + 4, entry);
        }
        6 => {
            // An entry more in the index, or one less.
            let one: Vec<u8> = bytes[entry..entry + ENTRY].to_vec();
            let more = rng.bool();
            bytes.splice(
                entry..if more { entry } else { entry + ENTRY },
                if more { one } else { Vec::new() },
            );
            let count = if more { count + 1 } else { count - 1 };
            bytes[8..12].copy_from_slice(&(count as u32).to_be_bytes());
        }
        _ => change(bytes, entry + rng.usize(..4) * 4, rng),
    }
}

/// Changes the number at a place.
fn change(bytes: &mut [u8], at: usize, rng: &mut Rng) {
    let old = number(bytes, at);
    let odd = [
        0,
        1,
        2,
        6,
        7,
        8,
        16,
        61,
        62,
        63,
        99,
        100,
        268,
        1002,
        0x000f_ffff,
        0x0fff_ffff,
        0x7fff_ffff,
        u32::MAX,
    ];
    let step = one_of(&[1, 4, 8, 16], rng);
    let new = match rng.u32(..4) {
        0 => old.wrapping_add(step),
        1 => old.wrapping_sub(step),
        2 => old ^ (1 << rng.u32(..32)),
        _ => one_of(&odd, rng),
    };
    bytes[at..at + 4].copy_from_slice(&new.to_be_bytes());
}

/// Adds, removes and repeats entries of these tags.
pub(super) fn shuffle(entries: &mut Vec<Entry>, rng: &mut Rng) {
    if entries.is_empty() {
        return;
    }
    let at = rng.usize(..entries.len());
    match rng.u32(..8) {
        0 => drop(entries.remove(at)),
        1 | 2 => {
            // One of the same tag, before it or behind it.
            let mut other = entries[at].clone();
            if rng.bool() {
                spoil(&mut other, rng);
            }
            entries.insert(at + rng.usize(..2), other);
        }
        3 => {
            // Once more at the end, where nobody looks for it.
            let mut other = entries[at].clone();
            spoil(&mut other, rng);
            entries.push(other);
        }
        4 => {
            let other = rng.usize(..entries.len());
            entries.swap(at, other);
        }
        5 => entries[at].kind = one_of(&[1, 2, 3, INT32, 5, TEXT, BYTES, TEXTS, 9], rng),
        6 => entries.insert(at, Entry::new(rng.u32(100..6000), BYTES, b"unknown")),
        _ => spoil(&mut entries[at], rng),
    }
}

/// Changes what an entry says.
fn spoil(entry: &mut Entry, rng: &mut Rng) {
    let at = rng.usize(..entry.data.len().max(1));
    let is_text = matches!(entry.kind, TEXT | TEXTS | 9);
    match rng.u32(..5) {
        0 if is_text => entry.data = entry.data.to_ascii_uppercase(),
        1 if is_text => {
            // Several texts.
            let other = entry.data.clone();
            entry.data.extend(other);
            entry.count *= 2;
        }
        2 if is_text => entry.data = vec![0],
        2 => entry.data.truncate(at),
        3 if rarely(2, rng) => entry.count = entry.count.wrapping_add(one_of(&[1, u32::MAX], rng)),
        _ => {
            if let Some(byte) = entry.data.get_mut(at).filter(|byte| **byte != 0) {
                *byte ^= 1;
            }
        }
    }
}
