//! Looking at bundles and locks.

pub mod difference;
pub mod extract;
mod fields;
pub mod summary;
pub mod why;
