//! Texts, each of them once.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// A list of different texts. Most names in metadata are in it many times.
#[derive(Default)]
pub(super) struct Texts {
    /// All texts, one behind the other.
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<[u32; 1]>,
    /// The number of each text, by the text.
    numbers: HashTable<u32>,
    hasher: RandomState,
    /// Whether there were more than numbers can tell apart.
    is_full: bool,
}

impl Texts {
    /// The number of a text, which is added if it is new.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        let hash = hasher.hash_one(text.as_bytes());
        let is_same = |number: &u32| at(bytes, ends, *number) == text.as_bytes();
        if let Some(number) = self.numbers.find(hash, is_same) {
            return *number;
        }
        let number = self.add(text);
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        let hash_of = |number: &u32| hasher.hash_one(at(bytes, ends, *number));
        self.numbers.insert_unique(hash, number, hash_of);
        number
    }

    /// Adds a text that is not looked for, because no other is the same.
    pub(super) fn add(&mut self, text: &str) -> u32 {
        let number = u32::try_from(self.ends.len());
        let end = u32::try_from(self.bytes.len() + text.len());
        let (Ok(number), Ok(end)) = (number, end) else {
            self.is_full = true;
            return 0;
        };
        self.bytes.extend(text.as_bytes());
        self.ends.push([end]);
        number
    }

    /// Whether a text had no place.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// A text's bytes.
    pub(super) fn text(&self, number: u32) -> &[u8] {
        at(&self.bytes, &self.ends, number)
    }

    /// All texts, and where each ends.
    pub(super) fn into_parts(self) -> (Vec<u8>, Vec<[u32; 1]>) {
        (self.bytes, self.ends)
    }
}

fn at<'a>(bytes: &'a [u8], ends: &[[u32; 1]], number: u32) -> &'a [u8] {
    let end = |place: usize| ends.get(place).map_or(0, |[end]| *end as usize);
    let number = number as usize;
    let start = number.checked_sub(1).map_or(0, end);
    bytes.get(start..end(number)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_one_number() {
        let mut texts = Texts::default();
        let words: Vec<String> = (0..1000).map(|number| format!("w{number}")).collect();
        let numbers: Vec<u32> = words.iter().map(|word| texts.number(word)).collect();
        assert_eq!(numbers, (0..1000).collect::<Vec<u32>>());
        assert!(words.iter().zip(numbers).all(|(word, number)| texts.number(word) == number));
        assert_eq!(
            (texts.number(""), texts.number(""), texts.text(999)),
            (1000, 1000, &b"w999"[..])
        );
        assert!(!texts.is_full());
    }
}
