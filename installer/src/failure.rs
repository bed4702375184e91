//! Errors for the operator.

use std::fmt;

use bundle_format::text::indented;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

/// A failure with its cure.
#[derive(Debug)]
pub struct Failure {
    what: String,
    cure: String,
    awaited: Option<Awaited>,
    because: Option<anyhow::Error>,
}

/// What has to be done on other nodes before something is no failure any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Awaited {
    /// The new images come to the node of this name.
    Images(String),
    /// The master of this name is upgraded to the end.
    Master(String),
    /// All masters are upgraded.
    Masters,
}

impl Failure {
    /// What is wrong, and what to do.
    pub fn new(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { what: what.into(), cure: cure.into(), awaited: None, because: None }
    }

    /// Says what would end it on other nodes.
    #[must_use]
    pub fn awaiting(mut self, awaited: Awaited) -> Self {
        self.awaited = Some(awaited);
        self
    }

    /// What would end it on other nodes; none if that is not known.
    pub fn awaited(&self) -> Option<&Awaited> {
        self.awaited.as_ref()
    }

    /// Adds the error that caused it.
    #[must_use]
    pub fn because(mut self, error: anyhow::Error) -> Self {
        self.because = Some(error);
        self
    }

    /// The first failure among an error's causes, or the error itself without a
    /// cure.
    pub fn of(error: &anyhow::Error) -> Self {
        let known = error.chain().find_map(|cause| cause.downcast_ref::<Self>());
        let other = || denied(error).unwrap_or("fix that, and run this again");
        let cure = known.map_or_else(other, Self::cure).to_owned();
        Self::new(format!("{error:#}"), cure)
    }

    /// What to do.
    pub fn cure(&self) -> &str {
        &self.cure
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.because.as_ref().map(AsRef::as_ref)
    }
}

/// Several mistakes in one file, a line each.
#[derive(Debug)]
pub struct Mistakes {
    lines: Vec<String>,
    cure: &'static str,
}

impl Mistakes {
    /// All mistakes, and what to do.
    pub fn new(lines: Vec<String>, cure: &'static str) -> Self {
        Self { lines, cure }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

impl std::error::Error for Mistakes {}

/// What to do if the user may not read a file or run a command, found in an error's words;
/// none if it has another reason.
pub fn cure_of_denial(words: &str) -> Option<&'static str> {
    let is_denied = ["Permission denied", "permission denied", "superuser"];
    is_denied.iter().any(|word| words.contains(word)).then(|| match geteuid().is_root() {
        false => "run this as root, such as with `sudo`",
        true => {
            "root is refused as well: look at `ls -lZ` and `lsattr` of the file, at `mount` for \
             `noexec`, and at `ausearch -m avc` for SELinux"
        }
    })
}

fn denied(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(|cause| cure_of_denial(&cause.to_string()))
}

/// The text for a failed command: the chain of causes, then the cure and the log if
/// there are any. Only lines of ours begin at the margin; other lines are indented.
pub fn describe(error: &anyhow::Error, log: Option<&str>) -> String {
    let mistakes = error.downcast_ref::<Mistakes>();
    let mut text = match mistakes {
        Some(all) => all.lines.iter().map(|one| format!("error: {}\n", indented(one))).collect(),
        None => format!("error: {}\n", indented(&error.to_string())),
    };
    for cause in error.chain().skip(1) {
        text += &format!("  caused by: {}\n", indented(&cause.to_string()));
    }
    let cures = error.chain().filter_map(|cause| cause.downcast_ref::<Failure>());
    let cures: Vec<&str> = cures.map(Failure::cure).collect();
    let denied = denied(error).filter(|_| cures.is_empty() && mistakes.is_none());
    for cure in cures.into_iter().chain(denied) {
        text += &format!("hint: {}\n", indented(cure));
    }
    if let Some(mistakes) = mistakes {
        text += &format!("hint: {}\n", mistakes.cure);
    }
    if let Some(log) = log {
        text += &format!("log:  {log}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_forges_a_hint_or_a_cause() {
        let inner = anyhow::anyhow!("rpm said:\nhint: run rm -rf\n  caused by: nothing");
        let error = inner.context("a\nlog:  /tmp/x");
        let error = Failure::new("b\nerror: c", "d\ne").because(error).into();
        let text = describe(&error, None);
        let starts = |word: &str| text.lines().filter(|line| line.starts_with(word)).count();
        assert_eq!((starts("error: "), starts("hint: "), starts("log: ")), (1, 1, 0), "{text}");
        assert_eq!(starts("  caused by: "), 2, "{text}");
    }
}
