use bundle_format::{Lock, layout};

use super::{READ, outcome};

/// A lock means the same when it is written and read again.
pub(super) fn lock(bytes: &[u8]) -> String {
    let lock = match Lock::parse(bytes) {
        Ok(lock) => lock,
        Err(error) => return outcome::<(), _>(Err(error)),
    };
    let written = layout::lock_bytes(&lock).expect("a lock is JSON");
    assert_eq!(Lock::parse(&written).expect("it was read before"), lock);
    READ.to_owned()
}
