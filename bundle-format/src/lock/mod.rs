//! The lock: exactly what a spec means today, with every artifact's source, size,
//! digest and reason. It is pure data without a time, a host name or a path of the
//! machine that made it. So it can be reviewed in a diff, and the same lock gives the
//! same bundle.

mod check;
pub(crate) mod descriptor;
pub(crate) mod document;
mod error;
mod expectation;
pub(crate) mod file;
mod hop;
pub(crate) mod image;
mod manifest;
mod read;
mod release;
mod rpm;
mod sense;
pub(crate) mod signature;
mod system;
mod target;
pub(crate) mod why;

pub use check::{CheckName, DisabledCheck};
pub use descriptor::Descriptor;
pub use document::{LOCK_VERSION, LOCK_VERSION_WITH_HOPS, Lock};
pub use error::LockError;
pub use expectation::{Aspect, Expectation};
pub use file::{FileKind, FileSource, LockedFile, LockedInput};
pub use hop::LockedHop;
pub use image::{LockedImage, LockedPlatform};
pub use manifest::{Edit, LockedManifest, LockedPass, LockedRendering};
pub use rpm::LockedRpm;
pub use signature::{IdentitySignature, KeySignature, LockedLogEntry, LockedSignature};
pub use system::{System, foreign_tool, is_field};
pub use target::{LockedRepository, LockedTarget, RepomdSignature};
pub use why::Why;

#[cfg(test)]
mod tests;
