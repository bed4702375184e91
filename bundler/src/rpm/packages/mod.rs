//! The packages of a repository in a compact form: a list of texts, a record for each
//! package, and sorted lists of what packages provide. A package is decoded only when
//! somebody asks for it, because a closure reaches some hundreds of many thousands. The
//! cache keeps this form, so that metadata that did not change is not parsed again.

mod builder;
mod columns;
mod kept;
mod list;
mod record;
mod texts;

pub(in crate::rpm) use builder::{Builder, TooLarge};
pub(in crate::rpm) use kept::Kept;
pub use list::Packages;
