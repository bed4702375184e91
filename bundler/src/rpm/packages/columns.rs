//! Columns of bytes and numbers, one behind the other in one piece of memory, as they are
//! in a file of the cache. The bytes may be damaged: whatever they are, reading gives a
//! value or none.

use std::ops::Range;

/// What a column has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    /// All texts, one behind the other.
    Texts,
    /// Where each text ends.
    Ends,
    /// Seven numbers for each package: the text of its name, its epoch, the texts of its
    /// version, its release and its architecture, and where its record begins and ends.
    Heads,
    /// A record for each package.
    Records,
    /// What is provided, each with a package: two numbers, sorted by the text.
    Provided,
    /// Files, each with a package that has it, sorted by the path.
    Files,
    /// What is obsoleted, each with a package that obsoletes it, sorted by the name.
    Obsoleted,
}

/// How many columns there are.
const COUNT: usize = 7;

/// How many bytes a number has.
const NUMBER: usize = 4;

/// The columns, behind the sizes of all of them.
#[derive(Debug, Default)]
pub(super) struct Columns {
    bytes: Vec<u8>,
    ranges: [Range<usize>; COUNT],
}

impl Columns {
    /// Puts these columns together, in the order of [`Column`].
    pub(super) fn join(parts: [Vec<u8>; COUNT]) -> Option<Self> {
        let size = COUNT * size_of::<u64>() + parts.iter().map(Vec::len).sum::<usize>();
        let mut bytes = Vec::with_capacity(size);
        for part in &parts {
            bytes.extend((part.len() as u64).to_le_bytes());
        }
        // Each is dropped as soon as it is copied.
        for part in parts {
            bytes.extend(part);
        }
        Self::open(bytes)
    }

    /// Finds the columns in `bytes`. `None` if they do not have exactly these bytes.
    pub(super) fn open(bytes: Vec<u8>) -> Option<Self> {
        let mut ranges: [Range<usize>; COUNT] = Default::default();
        let (sizes, _) = bytes.split_at_checked(COUNT * size_of::<u64>())?;
        let mut end = sizes.len();
        for (range, size) in ranges.iter_mut().zip(sizes.chunks_exact(size_of::<u64>())) {
            let size = usize::try_from(u64::from_le_bytes(size.try_into().ok()?)).ok()?;
            *range = end..end.checked_add(size)?;
            end = range.end;
        }
        (end == bytes.len()).then_some(Self { bytes, ranges })
    }

    /// All bytes, for [`Self::open`].
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A column's bytes.
    pub(super) fn column(&self, column: Column) -> &[u8] {
        let range = self.ranges.get(column as usize).cloned();
        range.and_then(|range| self.bytes.get(range)).unwrap_or_default()
    }

    /// How many groups of `N` numbers a column has.
    pub(super) fn count<const N: usize>(&self, column: Column) -> usize {
        self.column(column).len() / (N * NUMBER)
    }

    /// The group of `N` numbers at this place of a column.
    pub(super) fn numbers<const N: usize>(&self, column: Column, place: usize) -> Option<[u32; N]> {
        let start = place.checked_mul(N * NUMBER)?;
        let bytes = self.column(column).get(start..start.checked_add(N * NUMBER)?)?;
        let mut numbers = [0; N];
        for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(NUMBER)) {
            *number = u32::from_le_bytes(bytes.try_into().ok()?);
        }
        Some(numbers)
    }

    /// The bytes of a text.
    pub(super) fn text_bytes(&self, text: u32) -> Option<&[u8]> {
        let place = text as usize;
        let [end] = self.numbers(Column::Ends, place)?;
        let start = match place.checked_sub(1) {
            Some(before) => self.numbers::<1>(Column::Ends, before)?[0],
            None => 0,
        };
        self.column(Column::Texts).get(start as usize..end as usize)
    }

    /// A text.
    pub(super) fn text(&self, text: u32) -> Option<&str> {
        std::str::from_utf8(self.text_bytes(text)?).ok()
    }

    /// The packages that a sorted column has for `text`, by their places. Each once.
    pub(super) fn found(&self, column: Column, text: &str) -> impl Iterator<Item = u32> + use<'_> {
        let at = move |place| self.numbers::<2>(column, place);
        let bytes = |place| at(place).and_then(|[text, _]| self.text_bytes(text));
        let (mut start, mut end) = (0, self.count::<2>(column));
        while start < end {
            let middle = start + (end - start) / 2;
            match bytes(middle) < Some(text.as_bytes()) {
                true => start = middle + 1,
                false => end = middle,
            }
        }
        let first = at(start).filter(|_| bytes(start) == Some(text.as_bytes()));
        let first = first.map(|[text, _]| text);
        (start..).map_while(at).take_while(move |[text, _]| Some(*text) == first).map(|[_, id]| id)
    }
}

/// The bytes of numbers, as a column has them.
pub(super) fn column_of<const N: usize>(numbers: Vec<[u32; N]>) -> Vec<u8> {
    numbers.into_iter().flatten().flat_map(u32::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_as_they_were_put_together_and_other_bytes_are_none() {
        let numbers = column_of(vec![[3], [3], [4]]);
        let provided = column_of(vec![[2, 7], [0, 5], [0, 6]]);
        let none = Vec::new;
        let texts = b"xyza".to_vec();
        let all = [texts, numbers, none(), none(), provided, none(), none()];
        let columns = Columns::join(all).unwrap();
        assert_eq!(columns.text(0), Some("xyz"));
        assert_eq!(
            (columns.text(1), columns.text(2), columns.text(3)),
            (Some(""), Some("a"), None)
        );
        let found = |text| columns.found(Column::Provided, text).collect::<Vec<_>>();
        assert_eq!(found("xyz"), [5, 6]);
        assert_eq!((found("a"), found("b"), found("z")), (vec![7], vec![], vec![]));
        let bytes = columns.bytes();
        assert!(Columns::open(bytes.to_vec()).is_some());
        for length in 0..bytes.len() {
            assert!(Columns::open(bytes[..length].to_vec()).is_none(), "{length}");
        }
        let mut huge = bytes.to_vec();
        huge[..8].fill(0xff);
        assert!(Columns::open(huge).is_none());
    }
}
