//! A node leaves its cluster: pods go elsewhere, its member leaves etcd, and the cluster
//! forgets it.

mod leave;
mod member;
mod other;

pub use self::leave::leave;
pub use self::other::{Removal, STEPS};
