//! The way back from an upgrade, by what its first step has kept; and its end.

pub mod back;
mod checks;
mod etcd;
mod files;
mod images;
mod objects;
mod packages;
mod returning;
mod snapshot;

pub use self::checks::problems;
pub use self::etcd::{Way, await_start, is_asleep, way};
pub use self::images::release;
pub use self::returning::{Return, forget};
pub use self::snapshot::made as snapshot_made;
