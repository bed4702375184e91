//! The lock: exactly what a spec means today, every artifact with its source,
//! size, digest and the reason it is there. Pure data; it carries no time, no
//! host name and no path of the machine that made it, so it can be reviewed in
//! a diff, and so that the same lock gives the same bundle.

mod check;
pub(crate) mod descriptor;
pub(crate) mod document;
mod error;
mod expectation;
pub(crate) mod file;
pub(crate) mod image;
mod manifest;
mod read;
mod rpm;
mod sense;
mod system;
mod target;
pub(crate) mod why;

pub use check::{CheckName, DisabledCheck};
pub use descriptor::Descriptor;
pub use document::{LOCK_VERSION, Lock};
pub use error::LockError;
pub use expectation::{Aspect, Expectation};
pub use file::{FileKind, FileSource, LockedFile, LockedInput};
pub use image::{LockedImage, LockedPlatform};
pub use manifest::{Edit, LockedManifest, LockedPass};
pub use rpm::LockedRpm;
pub use system::{System, foreign_tool, is_field};
pub use target::{LockedRepository, LockedTarget};
pub use why::Why;

#[cfg(test)]
mod tests;
