//! Fuzzing: what others write, broken at random, goes into each parser of ours. A
//! parser gives an answer or an error, in a moment. What it reads means the same when
//! it is written and read again, and what it edits stays as it was everywhere else.
//!
//! [`targets`] has the parsers, and the tests that try each for some seconds.
//! [`mutate`] breaks inputs, [`grammar`] makes inputs with structure, [`run`] runs a target
//! and keeps the inputs that reached something new. Some targets compare with a program of
//! others, a judge.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a target says what is wrong"
)]

mod judge;
mod node;
mod patched;
mod rpmkeys;
mod small_bundle;
mod vendor;

pub mod grammar;
pub mod mutate;
pub mod run;
pub mod seeds;
pub mod targets;
