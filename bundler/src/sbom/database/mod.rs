//! What the databases in an image say is installed. An image may come from a stranger, so
//! each reader has limits, and what it cannot read is an error and never a panic.

mod apk;
mod dpkg;
pub(super) mod go;
mod package;
mod rpm;
mod watched;

pub(super) use package::Package;
pub(super) use watched::{Found, System, Watched};
