//! Damage of a bundle: bad sectors of a stick, and bytes that were altered on the way.
//!
//! A bundle is cut into chunks of 4 KiB. The parity file beside it (`<bundle>.parity`) has
//! a checksum of each chunk, so that a reader knows which are damaged, and recovery chunks,
//! from which it makes them again. `docs/bundle-format.md` describes the file.
//!
//! Nothing here is trusted: bytes that were repaired are compared with the bundle's digests
//! like all others.

pub mod chunk;
pub mod make;
pub mod parity;
pub mod plan;
pub mod repair;
mod table;

pub use table::Head;
