//! Files that are complete or do not exist, even if this program is killed, and locks
//! that let one process at a time use a file.

mod held;
mod lock;
mod unfinished;

pub use lock::{Lock, lock};
pub use unfinished::{Unfinished, folder_of, unnamed};
