//! A list of steps: planned, made, checked, journalled, and taken back.
//!
//! Each list has a [`step::Purpose`]: an install, or new certificates. A new way to change
//! a node, such as an upgrade, is one more list with a purpose of its own.

pub mod change;
mod erase;
pub mod orphan;
pub mod reset;
pub mod run;
pub mod step;
mod undo;
