//! Writing files whole, with their attributes.

pub mod attributes;
pub(crate) mod packed;
pub(crate) mod whole;
