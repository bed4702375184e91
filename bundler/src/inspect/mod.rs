//! Reads and compares bundles and locks.

mod artifacts;
pub mod audit;
pub mod change;
pub mod difference;
pub mod extract;
mod fields;
mod folder;
pub mod image_signatures;
pub mod naming;
mod secret_values;
pub mod subject;
pub mod summary;
pub mod texts;
pub mod why;
