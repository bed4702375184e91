//! YAML that a person writes, a spec or a cluster file: read as a tree that knows
//! where each part stands, held to the JSON Schema of its type, and only then read
//! as that type. So all mistakes are told at once, each with its place.

pub mod hint;
mod problem;
mod read;
mod schema;
mod shape;
mod tree;

use serde_json::Value;

pub use self::problem::{Place, Problem, cut, quoted};
pub use self::read::Read;
pub use self::schema::published;
pub use self::tree::{Data, Node, parse};

/// No text has more characters.
const MAX_TEXT: usize = 2048;

/// A kind of text, which the schema knows by its `format`.
pub struct Kind {
    /// The word that stands as `format`.
    pub name: &'static str,
    /// What such a text looks like.
    pub sample: &'static str,
    /// What each such text matches, by a regular expression that editors know. Some
    /// that match are none all the same.
    pub pattern: &'static str,
    /// Whether a text is one; the error says what to write.
    pub check: fn(&str) -> Result<(), String>,
}

/// What may stand in a document.
pub struct Format {
    /// What the document is: `spec`.
    pub what: &'static str,
    schema: Value,
    kinds: Vec<&'static Kind>,
}

impl Format {
    /// Documents of the type `T`, in which texts are of these kinds.
    pub fn of<T: schemars::JsonSchema>(
        what: &'static str,
        kinds: impl IntoIterator<Item = &'static Kind>,
    ) -> Self {
        Self { what, schema: schema::of::<T>(), kinds: kinds.into_iter().collect() }
    }

    /// All mistakes in the shape of `root`. What must hold between its values is not
    /// looked at.
    pub fn check_shape(&self, root: &Node) -> Vec<Problem> {
        shape::check(root, self)
    }

    /// The kind of this name.
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds.iter().copied().find(|kind| kind.name == name)
    }

    fn check(&self, format: &str, text: &str) -> Result<(), String> {
        let length = text.chars().count();
        if length > MAX_TEXT {
            let shown = cut(text);
            return Err(format!("`{shown}` has {length} characters; at most {MAX_TEXT} are read"));
        }
        self.kind(format).map_or(Ok(()), |kind| (kind.check)(text))
    }
}
