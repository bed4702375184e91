//! A difference between two locks.

use std::fmt;

use bundle_format::lines::{self, Lines};
use bundle_format::text::printable;
use serde::Serialize;

use super::artifacts::Artifact;
use super::secret_values;
use super::subject::Subject;
use super::texts::Texts;

/// An artifact that is not the same in both locks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What it is.
    #[serde(flatten)]
    pub subject: Subject,
    /// What it was; `None` if it was not there.
    pub from: Option<String>,
    /// What it is; `None` if it is not there any more.
    pub to: Option<String>,
    /// The full name of an image or a package whose version is the same, and whose bytes are
    /// others: a tag that was moved, or a package that somebody made again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_content: Option<String>,
    /// Whether an image or a package has another version, or tag.
    #[serde(skip)]
    pub other_version: bool,
    /// The changed lines, if it is a text and both texts were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Lines>,
    /// Why the changed lines of a text are not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.subject.what;
        let line = match (&self.from, &self.to) {
            (None, Some(to)) => format!("+ {what} {to}"),
            (Some(from), None) => format!("- {what} {from}"),
            (Some(from), Some(to)) => format!("~ {what} {from} -> {to}"),
            (None, None) => return Ok(()),
        };
        writeln!(f, "{}", printable(line.trim_end()))?;
        for line in self.text.iter().flat_map(|text| &text.lines) {
            writeln!(f, "    {}", printable(line))?;
        }
        match self.text.as_ref().map_or(0, |text| text.left_out) {
            0 => {}
            more => writeln!(f, "    … {more} more lines; --full shows them")?,
        }
        match &self.note {
            Some(note) => writeln!(f, "    ({note})"),
            None => Ok(()),
        }
    }
}

impl Change {
    /// A change from `from` to `to`.
    pub(crate) fn new(subject: Subject, from: Option<String>, to: Option<String>) -> Self {
        Self {
            subject,
            from,
            to,
            other_content: None,
            other_version: false,
            text: None,
            note: None,
        }
    }

    /// Says whether the version is another one. Adds the full name, if only the bytes are others.
    pub(super) fn with_content(self, a: &Artifact, b: &Artifact) -> Self {
        let Some(((from, before), (to, after))) = a.fixed.as_ref().zip(b.fixed.as_ref()) else {
            return self;
        };
        let other_content = (from == to && before != after).then(|| to.clone());
        Self { other_content, other_version: from != to, ..self }
    }

    /// Adds the lines that differ between the two texts, without the values of Secrets.
    pub(super) fn with_text(
        self,
        a: &Artifact,
        b: &Artifact,
        texts: &Texts<'_>,
        limit: usize,
    ) -> Self {
        let pairs = a.texts.iter().zip(&b.texts);
        let mut others = pairs.filter(|((from, _), (to, _))| from.digest != to.digest).peekable();
        if others.peek().is_none() {
            return self;
        }
        let found = others.find_map(|((from, of_from), (to, of_to))| {
            let (before, after) = (texts.bytes(from, of_from)?, texts.bytes(to, of_to)?);
            let (before, after) = secret_values::hidden(&before, &after);
            lines::of_texts(&before, &after, limit)
        });
        match found {
            Some(text) => Self { text: Some(text), ..self },
            None => {
                let note = "its lines cannot be shown: this needs both texts, of at most 100,000 \
                            lines, in the bundles, in the cache or beside the spec";
                Self { note: Some(note.to_owned()), ..self }
            }
        }
    }
}
