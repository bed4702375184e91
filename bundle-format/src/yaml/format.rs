//! What may stand in a document: the schema of its type, and kinds of text.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::problem::cut;

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
    pub(super) schema: Value,
    pub(super) kinds: Vec<&'static Kind>,
}

impl Format {
    /// Documents of the type `T`, in which texts are of these kinds.
    pub fn of<T: JsonSchema>(
        what: &'static str,
        kinds: impl IntoIterator<Item = &'static Kind>,
    ) -> Self {
        Self { what, schema: schema::<T>(), kinds: kinds.into_iter().collect() }
    }

    /// The kind of this name.
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
