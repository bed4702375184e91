//! YAML that a person writes, a spec or a cluster file: read as a tree that knows
//! where each part stands, held to the JSON Schema of its type, and only then read
//! as that type. So all mistakes are told at once, each with its place.

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
