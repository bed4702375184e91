//! What a document may contain: the schema of its type, and kinds of text.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::problem::cut;

/// The most characters of a text.
const MAX_TEXT: usize = 2048;

/// A kind of text. The schema refers to it by `format`.
pub struct Kind {
    /// Its name in `format`.
    pub name: &'static str,
    /// What such a text looks like.
    pub sample: &'static str,
    /// A regular expression for editors. It matches every such text, and may
    /// match others too.
    pub pattern: &'static str,
    /// Checks a text. The error says what to write.
    pub check: fn(&str) -> Result<(), String>,
}

/// What a document may contain.
pub struct Format {
    /// What the document is: `spec`.
    pub what: &'static str,
    pub(super) schema: Value,
    pub(super) kinds: Vec<&'static Kind>,
}

impl Format {
    /// The format of documents of the type `T`, with these kinds of text.
    pub fn of<T: JsonSchema>(
        what: &'static str,
        kinds: impl IntoIterator<Item = &'static Kind>,
    ) -> Self {
        Self { what, schema: schema::<T>(), kinds: kinds.into_iter().collect() }
    }

    /// The kind with this name.
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds.iter().copied().find(|kind| kind.name == name)
    }

    pub(super) fn check(&self, format: &str, text: &str) -> Result<(), String> {
        let length = text.chars().count();
        if length > MAX_TEXT {
            let shown = cut(text);
            return Err(format!("`{shown}` has {length} characters; at most {MAX_TEXT} are read"));
        }
        self.kind(format).map_or(Ok(()), |kind| (kind.check)(text))
    }
}

/// The schema of a type, in the draft that all editors know.
fn schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}
