//! Several things at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The results of `work` for each of `items`, in the same order. At most `at_a_time` are in
/// the works.
pub fn each<'t, T: Sync, R: Send>(
    items: &'t [T],
    at_a_time: usize,
    work: impl Fn(&'t T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..at_a_time.min(items.len()) {
            scope.spawn(|| {
                while let Some((index, item)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    items.get(index).map(|item| (index, item))
                } {
                    let result = work(item);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does two pieces of work at the same time, and gives both results.
pub fn both<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), other)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::{both, each};

    #[test]
    fn two_are_done_at_once() {
        // Either would wait for ever for the other.
        let met = Barrier::new(2);
        let done = both(|| met.wait().is_leader(), || met.wait().is_leader());
        assert!(done.0 != done.1);
    }

    #[test]
    fn each_is_done_once_and_stays_in_its_place() {
        for count in [0, 1, 7, 100] {
            let items: Vec<u32> = (0..count).collect();
            let doubled = each(&items, 8, |item| item * 2);
            assert_eq!(doubled, Vec::from_iter(items.iter().map(|i| i * 2)));
        }
    }
}
