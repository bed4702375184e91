//! YAML that a person writes, a spec or a cluster file. It is read as a tree that
//! knows the place of each part, checked against the JSON Schema of its type, and
//! only then read as that type. So all mistakes are reported at once, each with its
//! place.

mod format;
pub mod hint;
mod problem;
mod read;
mod schema;
mod shape;
mod tree;

pub use self::format::{Format, Kind};
pub use self::problem::{Place, Problem, cut, quoted};
pub use self::read::Read;
pub use self::schema::published;
pub use self::tree::{Data, Node, parse};
