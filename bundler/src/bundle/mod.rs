//! Looking at bundles and locks.

pub mod difference;
pub mod extract;
pub mod summary;
pub mod why;
