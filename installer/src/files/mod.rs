//! Files on a disk: whole or not at all, and who may read them.

pub mod attributes;
pub(crate) mod whole;
