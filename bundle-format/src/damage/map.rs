//! The map of a damaged bundle: which chunks nobody on site can repair. It is a text of a few
//! lines, which a person can photograph or read out.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::chunk::{ChunkSet, chunks};
use super::plan::MAX_PROTECTED;
use crate::digest::Digest;

/// How many hex digits of the bundle's digest stand in a map. They find a mistake. What a
/// patch is for is in the patch.
const DIGITS: usize = 16;

/// How many ranges stand on a line.
const PER_LINE: usize = 8;

/// Which chunks of a bundle are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// The first hex digits of the digest of the bundle's `index.json`.
    bundle: String,
    /// The bundle's size in bytes.
    length: u64,
    /// The chunks, in order; neighbours are one range.
    lost: Vec<Range<u64>>,
}

impl Map {
    /// The map of these chunks of a bundle of `length` bytes.
    pub fn new(bundle: Digest, length: u64, lost: &ChunkSet) -> Self {
        let bundle = bundle.hex().chars().take(DIGITS).collect();
        Self { bundle, length, lost: lost.ranges() }
    }

    /// Whether it is of the bundle whose index has this digest and that has this size.
    pub fn is_of(&self, bundle: Digest, length: u64) -> bool {
        bundle.hex().starts_with(&self.bundle) && length == self.length
    }

    /// The chunks, in order.
    pub fn lost(&self) -> impl Iterator<Item = u64> {
        self.lost.iter().cloned().flatten()
    }

    /// How many chunks it has.
    pub fn count(&self) -> u64 {
        self.lost.iter().map(|range| range.end - range.start).sum()
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("bundle {}", self.bundle), format!("bytes {}", self.length)];
        lines.extend(self.lost.chunks(PER_LINE).map(|ranges| {
            let words: Vec<String> = ranges.iter().map(shown).collect();
            format!("lost {}", words.join(" "))
        }));
        lines
    }
}

/// `7` or `12-15`.
fn shown(range: &Range<u64>) -> String {
    match (range.start, range.end.saturating_sub(1)) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    }
}

/// The sum of a map's lines, so that a digit that was misheard is found.
fn sum(lines: &[String]) -> String {
    format!("{:08x}", crc32fast::hash(lines.join("\n").as_bytes()))
}

/// The text, with a line break at its end.
impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        writeln!(f, "{}\nsum {}", lines.join("\n"), sum(&lines))
    }
}

/// Why a text is not a map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// A line is not one of a map.
    #[error("line {0} is not one of a map")]
    Line(usize),
    /// The sum is of other lines.
    #[error("a digit of it is wrong: its sum would be {0}; compare it with what the node shows")]
    Sum(String),
    /// A line that a map must have is missing.
    #[error("it has no line `{0}`")]
    Missing(&'static str),
}

impl FromStr for Map {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        let (mut bundle, mut length, mut lost, mut own_sum) = (None, None, Vec::new(), None);
        let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
        for (number, line) in lines {
            let bad = MapError::Line(number);
            let (word, rest) = line.split_once(' ').ok_or(bad.clone())?;
            let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
            match word {
                "bundle" if rest.len() == DIGITS && is_hex(rest) => bundle = Some(rest.to_owned()),
                "bytes" => length = Some(rest.parse().map_err(|_| bad)?),
                "lost" => {
                    for word in rest.split_ascii_whitespace() {
                        lost.push(range(word).ok_or(bad.clone())?);
                    }
                }
                "sum" => own_sum = Some(rest.to_owned()),
                _ => return Err(bad),
            }
        }
        let map = Self {
            bundle: bundle.ok_or(MapError::Missing("bundle"))?,
            length: length.ok_or(MapError::Missing("bytes"))?,
            lost,
        };
        let wanted = sum(&map.lines());
        if own_sum.ok_or(MapError::Missing("sum"))? != wanted || !map.is_sound() {
            return Err(MapError::Sum(wanted));
        }
        Ok(map)
    }
}

impl Map {
    /// Whether its chunks are in order, and the bundle has them.
    fn is_sound(&self) -> bool {
        let ends = self.lost.last().is_none_or(|last| last.end <= chunks(self.length));
        let in_order = self.lost.windows(2).all(|two| match two {
            [one, other] => one.end <= other.start,
            _ => true,
        });
        ends && in_order && self.length <= MAX_PROTECTED
    }
}

fn range(word: &str) -> Option<Range<u64>> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
    (first <= last).then_some(first..last.checked_add(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_as_it_is_written_and_a_wrong_digit_is_found() {
        let mut lost = ChunkSet::default();
        [7, 12, 13, 14, 15, 99].into_iter().for_each(|chunk| lost.add(chunk));
        (0..20).for_each(|number| lost.add(1000 + 2 * number));
        let bundle = Digest::of(b"index");
        let map = Map::new(bundle, 100 << 20, &lost);
        let text = map.to_string();
        assert!(text.contains("\nlost 7 12-15 99 1000 1002 "), "{text}");
        assert_eq!(text.parse(), Ok(map.clone()));
        assert_eq!(format!("\r\n {}", text.replace('\n', "\r\n")).parse(), Ok(map.clone()));
        assert_eq!(map.lost().count() as u64, map.count());
        assert!(map.is_of(bundle, 100 << 20) && !map.is_of(bundle, 1));
        assert!(!map.is_of(Digest::of(b"other"), 100 << 20));
        assert!(matches!(text.replace("99", "98").parse::<Map>(), Err(MapError::Sum(_))));
        for bad in ["", "bundle 00", "lost", "lost 5-3", "lost x", "gone 3"] {
            assert!(bad.parse::<Map>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_bundle_cannot_have_is_not_believed() {
        let lines = |lost: &str| {
            let map = format!("bundle 0123456789abcdef\nbytes 4097\n{lost}");
            let lines: Vec<String> = map.lines().map(str::to_owned).collect();
            format!("{map}\nsum {}", sum(&lines)).parse::<Map>()
        };
        assert!(lines("lost 0-1").is_ok());
        for bad in ["lost 2", "lost 0-18446744073709551614", "lost 1 0", "lost 0 0"] {
            assert!(lines(bad).is_err(), "{bad}");
        }
    }
}
