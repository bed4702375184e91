//! A list of steps: planned, made, checked, journalled, and taken back.

pub mod change;
mod erase;
pub mod orphan;
pub mod reset;
pub mod run;
pub mod step;
mod undo;
