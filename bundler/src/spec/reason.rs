//! The reason why a check is off.

use serde::Deserialize;

/// The reason why a check is off: a few words for people who read the bundle later.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Reason(String);

impl Reason {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        check(&text)?;
        Ok(Self(text))
    }
}

/// Checks that a text is a reason that a person gave: a few words, and not a word for
/// yes or no.
pub(super) fn check(text: &str) -> Result<(), String> {
    let text = text.trim();
    let switch = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"];
    if text.chars().any(char::is_alphabetic) && !switch.contains(&text.to_lowercase().as_str()) {
        return Ok(());
    }
    Err("a reason must be given in words: write why, as a sentence".to_owned())
}
