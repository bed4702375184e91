use std::cell::RefCell;

use installer::steps::time::Time;

use super::{READ, text};
use crate::node::settle;

thread_local! {
    /// What chronyc says.
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

/// `/etc/chrony.conf`, which is replaced, and what chronyc says of its sources.
pub(super) fn chrony(bytes: &[u8]) -> String {
    SAID.set(text(bytes).into_owned());
    let said = |line: &str| line.starts_with("chronyc").then(|| SAID.with_borrow(String::clone));
    settle(&Time, &[("/etc/chrony.conf", bytes)], said).refusal.unwrap_or(READ.to_owned())
}
