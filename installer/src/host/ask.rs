//! Questions to a node: commands that only look, asked once or until they succeed.
//! Each has a time limit.

use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::Host;
use crate::exec::{Command, Output};
use crate::failure::Failure;

/// How long a question may take. firewalld is given 110 s (`steps/firewall/bus.rs`). On a slow
/// node, asking the API server about all manifests takes longer than D-Bus's usual 25 s.
const LIMIT: Duration = Duration::from_secs(120);

impl Host {
    /// The answer to a question for which a wrong "no" would do harm. An error if
    /// the command could not be started, or did not end by itself. If the program
    /// is not installed, the answer is status 127.
    pub fn answer(&self, command: &Command) -> anyhow::Result<Output> {
        answered(command, self.asked(command, LIMIT))
    }

    /// The same as [`Host::answer`], asked only once while the node is only looked at.
    pub(crate) fn answer_once(&self, command: &Command) -> anyhow::Result<Output> {
        answered(command, self.asked_once(command))
    }

    /// The same as [`Host::answer`], with another limit; none if no answer
    /// comes within it.
    pub fn answer_within(
        &self,
        command: &Command,
        limit: Duration,
    ) -> anyhow::Result<Option<Output>> {
        match self.asked(command, limit) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(None),
            output => Ok(Some(output.with_context(|| format!("running `{command}`"))?)),
        }
    }

    /// Runs a command that only looks. If the program is not installed, the
    /// status is 127, as in a shell; if it does not answer, there is no status.
    pub fn query(&self, line: &str) -> Output {
        self.ask(&Command::of(line))
    }

    /// The same as [`Host::query`], for arguments with spaces.
    pub fn ask(&self, command: &Command) -> Output {
        self.asked(command, LIMIT).unwrap_or_else(unanswered)
    }

    /// The same as [`Host::ask`], asked only once while the node is only looked at.
    pub(crate) fn ask_once(&self, command: &Command) -> Output {
        self.asked_once(command).unwrap_or_else(unanswered)
    }

    /// Steps that need the same answer share it while a plan is made: kubectl takes a tenth of a
    /// second of a processor to start, and rpm as long to list all packages. Once the node is
    /// opened for changes, every question is asked again.
    fn asked_once(&self, command: &Command) -> io::Result<Output> {
        let ask = || self.asked(command, LIMIT);
        if self.receipt.is_some() { ask() } else { self.shared.answer(command, ask) }
    }

    fn asked(&self, command: &Command, limit: Duration) -> io::Result<Output> {
        match self.exec.ask(command, limit) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let stderr = error.to_string();
                Ok(Output { status: Some(127), stdout: String::new(), stderr })
            }
            output => output,
        }
    }

    /// Repeats a command that only looks, every half second, until it succeeds.
    /// An error with its last words if it does not within `seconds`.
    pub fn await_success(&mut self, command: &Command, seconds: u32) -> anyhow::Result<()> {
        self.say(&format!("await {command}\n"));
        let patience = Duration::from_secs(seconds.into());
        let begun = Instant::now();
        loop {
            let left = patience.saturating_sub(begun.elapsed());
            let last = match self.asked(command, left.clamp(Duration::from_secs(1), LIMIT)) {
                Ok(output) if output.succeeded() => {
                    self.say(&format!("it took {:.1} s\n", begun.elapsed().as_secs_f32()));
                    return Ok(());
                }
                Ok(output) => {
                    self.say(&output.stderr);
                    output.end()
                }
                Err(error) => error.to_string(),
            };
            if begun.elapsed() >= patience {
                return Err(Failure::new(
                    format!("waited {seconds} s in vain for `{command}`, which last {last}"),
                    "`installer doctor` says what is wrong with this node",
                )
                .into());
            }
            sleep(Duration::from_millis(500));
        }
    }

    /// Looks every half second until `is_there` is true. An error if it is not
    /// within `seconds`; `what` names it there.
    pub fn await_that(
        &self,
        what: &str,
        seconds: u32,
        is_there: impl Fn(&Self) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + Duration::from_secs(seconds.into());
        while !is_there(self)? {
            if Instant::now() >= end {
                bail!("waited {seconds} s in vain for {what}");
            }
            sleep(Duration::from_millis(500));
        }
        Ok(())
    }
}

fn answered(command: &Command, output: io::Result<Output>) -> anyhow::Result<Output> {
    let output = output.with_context(|| format!("running `{command}`"))?;
    if output.status.is_none() {
        bail!("`{command}` was ended by a signal");
    }
    Ok(output)
}

fn unanswered(error: io::Error) -> Output {
    Output { status: None, stdout: String::new(), stderr: error.to_string() }
}
