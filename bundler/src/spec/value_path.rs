//! The path of a value in an object: `spec.template.spec.containers[0].args[2]`.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// The path from an object to a value in it. It has at least one step.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct ValuePath {
    text: String,
    /// The steps before the last.
    pub(crate) above: Vec<Step>,
    /// The last step.
    pub(crate) last: Step,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Item(usize),
}

impl FromStr for ValuePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut above = steps(text)?;
        let last = above.pop().ok_or_else(|| malformed(text))?;
        Ok(Self { text: text.to_owned(), above, last })
    }
}

impl TryFrom<String> for ValuePath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn malformed(path: &str) -> String {
    format!("`{path}` is not a path: write one such as spec.template.spec.containers[0].args[2]")
}

/// `a.b[0]["c.d"]`.
fn steps(path: &str) -> Result<Vec<Step>, String> {
    let malformed = || malformed(path);
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(inner) = rest.strip_prefix("[\"") {
            let (key, after) = inner.split_once("\"]").ok_or_else(malformed)?;
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']').ok_or_else(malformed)?;
            steps.push(Step::Item(index.parse().map_err(|_| malformed())?));
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            if key.is_empty() {
                return Err(malformed());
            }
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        }
    }
    Ok(steps)
}
