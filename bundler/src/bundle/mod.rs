//! Looking at bundles and locks.

pub mod difference;
pub mod extract;
mod fields;
mod folder;
pub mod naming;
pub mod summary;
pub mod why;
