//! How large the parts of a bundle were, if some of them are cut short or gone.

/// The sizes that all parts except the last may have had. The bundle has `length` bytes, and
/// `found` is what each part has; none if it is gone. Two sizes may fit, because lengths alone
/// do not always say which part is short.
pub(super) fn sizes(found: &[Option<u64>], length: u64) -> Vec<u64> {
    let others = (found.len() as u64).saturating_sub(1);
    if others == 0 {
        return vec![length];
    }
    let rest = |size: &u64| length.checked_sub(size.checked_mul(others)?);
    // More may follow the end of the last, as it may follow that of a bundle in one file.
    let fits = |size: &u64| {
        rest(size).is_some_and(|last| (1..=*size).contains(&last))
            && found.iter().rev().skip(1).all(|found| found.is_none_or(|found| found <= *size))
    };
    // A part is cut short, and never grows: the longest may be whole.
    let longest = found.iter().rev().skip(1).flatten().copied().max();
    // The last may be whole. Then it says what the others had together.
    let by_last = found.last().copied().flatten().and_then(|last| length.checked_sub(last));
    let by_last = by_last.filter(|all| all % others == 0).map(|all| all / others);
    let mut sizes: Vec<u64> = [longest, by_last].into_iter().flatten().filter(fits).collect();
    sizes.dedup();
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_parts_follows_from_those_that_are_whole() {
        let whole = [Some(600), Some(600), Some(300)];
        assert_eq!(sizes(&whole, 1500), [600]);
        for (number, left) in [(0, None), (0, Some(599)), (1, Some(0)), (2, None), (2, Some(299))] {
            let mut found = whole;
            found[number] = left;
            assert!(sizes(&found, 1500).contains(&600), "{number} {left:?}");
        }
        assert_eq!(sizes(&[Some(7)], 10), [10]);
        // Only the last is there.
        assert_eq!(sizes(&[None, None, Some(300)], 1500), [600]);
        // The last has more than its own bytes.
        assert_eq!(sizes(&[Some(600), Some(550), Some(310)], 1500), [600]);
        // 50 bytes are missing: of the first part, or of the second.
        assert_eq!(sizes(&[Some(550), Some(400)], 1000), [550, 600]);
    }

    #[test]
    fn what_cannot_be_has_no_size() {
        assert!(sizes(&[None, None], 10).is_empty());
        assert!(sizes(&[Some(3), None, Some(3)], 12).is_empty(), "no third of it is that small");
        assert!(sizes(&[Some(u64::MAX), Some(1), None], 10).is_empty());
        assert!(sizes(&[Some(11), Some(9)], 10).is_empty(), "a part is longer than all of it");
    }
}
