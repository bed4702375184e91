//! The error for a database that makes no sense.

use std::io;

/// It, with the part that makes no sense.
pub(super) fn damaged(what: &str) -> io::Error {
    io::Error::other(format!("its {what} make no sense"))
}

/// What each row or header counts at least against what a database may give: many empty ones
/// would take memory too.
pub(super) const LEAST: usize = 64;
