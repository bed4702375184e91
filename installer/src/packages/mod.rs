//! The node's packages, as rpm has them: what is there, what a bundle makes of it,
//! and the way back.

pub(crate) mod compared;
pub(crate) mod erase;
pub(crate) mod installed;

pub use self::compared::PackageChange;
