//! Damage of a bundle: bad sectors of a stick, and bytes that were altered on the way.
//!
//! A bundle is cut into chunks of 4 KiB. The parity file beside it (`<bundle>.parity`) has
//! a checksum of each chunk, so that a reader knows which are damaged, and recovery chunks,
//! from which it makes them again. What is lost all the same stands in a map, and a patch
//! (`<bundle>.patch`) brings it. `docs/bundle-format.md` describes the files.
//!
//! Nothing here is trusted: bytes that were repaired are compared with the bundle's digests
//! like all others.

pub mod chunk;
pub mod make;
pub mod map;
pub mod parity;
pub mod patch;
pub mod plan;
pub mod repair;
mod table;

pub use table::Head;
