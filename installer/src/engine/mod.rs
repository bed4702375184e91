//! A list of steps: planned, made, checked, journalled, and taken back. What it is made
//! for is a [`step::Purpose`]: an install, new certificates. Whatever else is to change a
//! node, as an upgrade, is one more list with a purpose of its own.

pub mod change;
mod erase;
pub mod orphan;
pub mod reset;
pub mod run;
pub mod step;
mod undo;
