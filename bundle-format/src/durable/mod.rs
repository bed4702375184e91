//! Files that are there in full or not at all, whatever ends this program, and files
//! that one process has at a time.

mod lock;
mod unfinished;

pub use lock::{Lock, lock};
pub use unfinished::Unfinished;
