//! A backup: one file from which a cluster comes back on bare machines. It has the
//! cluster's authorities and all of its Secrets, so only its owner may read it.
//!
//! The file is a tar archive. `backup.json` says what the rest is, and has the digest
//! of each part; `backup.json.sha256` has the digest of that list. Then come etcd's
//! snapshot and the master's files.

mod archive;
mod contents;
mod files;
pub(crate) mod folder;
mod make;
mod snapshot;

pub(crate) use self::archive::KIND;
pub use self::archive::{Backup, Part};
pub use self::contents::{Contents, KeptFile};
pub use self::make::{keep_snapshot, make};
pub use self::snapshot::Etcd;
