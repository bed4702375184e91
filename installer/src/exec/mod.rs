//! Commands: one of the two doors to the node.

pub mod system;

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

/// A command with its arguments. None of them is a secret, because every process on
/// the node can read them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Command(Vec<String>);

impl Command {
    /// The program first.
    pub fn new<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }

    /// Splits a line at spaces: for commands that are written in the code.
    pub fn of(line: &str) -> Self {
        Self::new(line.split_ascii_whitespace())
    }

    /// With one more argument.
    #[must_use]
    pub fn with(mut self, argument: impl Into<String>) -> Self {
        self.0.push(argument.into());
        self
    }

    /// Its words.
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit status; none when a signal ended it.
    pub status: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Output {
    /// Whether it succeeded.
    pub fn succeeded(&self) -> bool {
        self.status == Some(0)
    }

    /// How it ended, with the last lines of its error: `exited with status 1:
    /// no`.
    pub fn end(&self) -> String {
        let status = match self.status {
            Some(status) => format!("exited with status {status}"),
            None => "was ended by a signal".to_owned(),
        };
        let lines = self.reasons();
        match lines.get(lines.len().saturating_sub(8)..) {
            None | Some([]) => status,
            Some(last) => format!("{status}: {}", last.join("\n    ")),
        }
    }

    /// The last line of its error, which usually has the reason.
    pub fn reason(&self) -> Option<&str> {
        self.reasons().pop()
    }

    /// The lines that may say why it failed: standard error, or standard output
    /// if the former has only warnings, or yum's note that it did nothing.
    fn reasons(&self) -> Vec<&str> {
        let (errors, output) = (lines(&self.stderr), lines(&self.stdout));
        let says_why = |line: &&str| {
            let line = line.trim_start().to_lowercase();
            !line.starts_with("warning:") && line != "error: nothing to do"
        };
        if errors.iter().any(says_why) || output.is_empty() { errors } else { output }
    }
}

/// Lines that are not empty.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect()
}

/// The end of a long text, from the beginning of a line: at most `most` bytes.
pub(crate) fn last(text: &str, most: usize) -> &str {
    let Some(mut at) = text.len().checked_sub(most) else { return text };
    while !text.is_char_boundary(at) {
        at += 1;
    }
    let end = text.get(at..).unwrap_or_default();
    end.split_once('\n').map_or(end, |(_, lines)| lines)
}

/// Writes a command's standard input.
pub type Input<'a> = &'a mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

/// Runs commands on a node. Several threads may use it at once.
pub trait Exec: Sync {
    /// Runs `command` to its end. An error means that it could not be started.
    fn run(&self, command: &Command, input: Option<Input<'_>>) -> io::Result<Output>;

    /// The same, and tells of each line that it writes to standard error, as soon as that is
    /// whole.
    fn follow(
        &self,
        command: &Command,
        input: Option<Input<'_>>,
        each: &(dyn Fn(&str) + Sync),
    ) -> io::Result<Output> {
        let output = self.run(command, input)?;
        output.stderr.lines().for_each(each);
        Ok(output)
    }

    /// Runs `command`, which only looks. If it does not end within `limit`, it is
    /// killed with all processes that it started, and the error's kind is
    /// `TimedOut`.
    fn ask(&self, command: &Command, limit: Duration) -> io::Result<Output>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_text_the_end_is_kept() {
        const MOST: usize = 64 << 10;
        assert_eq!(last("a\nb\n", MOST), "a\nb\n");
        let long = "z\u{e4}hlt\n".repeat(MOST);
        let end = last(&long, MOST);
        assert!(end.len() <= MOST && end.len() > MOST - 20, "{}", end.len());
        assert!(end.starts_with("z\u{e4}hlt\n") && long.ends_with(end));
        assert!(last(&"\u{e4}".repeat(MOST), MOST).len() <= MOST);
    }

    #[test]
    fn an_end_without_words_has_no_colon() {
        let mut output = Output { status: Some(1), ..Output::default() };
        assert_eq!(output.end(), "exited with status 1");
        output.stdout = "it is full\n".to_owned();
        assert_eq!(output.end(), "exited with status 1: it is full");
        output.status = None;
        assert_eq!(output.end(), "was ended by a signal: it is full");
    }

    #[test]
    fn why_it_failed_is_where_it_says_so() {
        let of = |stdout: &str, stderr: &str| {
            let (stdout, stderr) = (stdout.to_owned(), stderr.to_owned());
            let output = Output { status: Some(1), stdout, stderr };
            output.reason().map(str::to_owned)
        };
        let is = |told: Option<String>, line: &str| assert_eq!(told.as_deref(), Some(line));
        let none = "No package kubelet-1.28.2-0.x86_64 available.";
        is(of(&format!("Loaded plugins: fastestmirror\n{none}\n"), "Error: Nothing to do\n"), none);
        let key = "warning: /a.rpm: Header V4 RSA/SHA512 Signature, key ID 1: NOKEY\n";
        is(
            of("Public key for a.rpm is not installed\n", key),
            "Public key for a.rpm is not installed",
        );
        is(of("deployment created\n", "error: timed out\n\n"), "error: timed out");
        is(of("", "Warning: ALREADY_ENABLED\n"), "Warning: ALREADY_ENABLED");
        is(of("", "Error: Nothing to do\n"), "Error: Nothing to do");
        assert_eq!(of("\n", " \n"), None);
    }
}
