//! What a supporter needs of a node that cannot call home, in one file, without secrets.

mod archive;
mod entry;
mod list;

pub(crate) use self::archive::{KIND, make};
