//! containerd's configuration: its files, and what they come to.

pub(crate) mod files;
pub(crate) mod format;
pub(crate) mod keys;
mod migration;
pub(crate) mod networks;
pub(crate) mod refusal;
pub(crate) mod registries;
pub(crate) mod release;
pub(crate) mod runtimes;
pub(crate) mod source;
pub(crate) mod table;
pub(crate) mod told;

pub(crate) use self::networks::networks;
pub(crate) use self::refusal::refusal;
pub(crate) use self::source::source;
pub use self::told::{Told, told};
