//! Running other programs: one that hangs, or writes without end, must not stop the
//! bundler.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use bundle_format::input::bounded;

/// How long a program may take, and how much it may write.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long it may take.
    pub patience: Duration,
    /// How many bytes it may write, to each of its outputs.
    pub output: u64,
}

/// What a program did.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub output: Vec<u8>,
    /// Its standard error, if `command` has it piped. Empty if it was too long.
    pub errors: Vec<u8>,
}

/// Why a program did not finish. That never contains its output, which may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    /// It was not started.
    #[error("it cannot be started: {0}")]
    NotStarted(io::Error),
    /// It went beyond its limits.
    #[error("{0}")]
    Ended(String),
}

/// Runs `command` with `input`, and ends it if it goes beyond its limits.
pub fn run(command: &mut Command, input: &[u8], limits: Limits) -> Result<Finished, Unfinished> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(Unfinished::NotStarted)?;
    let result = converse(&mut child, input, limits);
    if result.is_err() {
        drop(child.kill());
        drop(child.wait());
    }
    result.map_err(Unfinished::Ended)
}

fn converse(child: &mut Child, input: &[u8], limits: Limits) -> Result<Finished, String> {
    let deadline = Instant::now() + limits.patience;
    let late = || "it did not answer in time".to_owned();
    let left = || deadline.saturating_duration_since(Instant::now());
    let output = child.stdout.take().map(|pipe| read(pipe, limits.output));
    let errors = child.stderr.take().map(|pipe| read(pipe, limits.output));
    if let Some(mut stdin) = child.stdin.take() {
        // A program that reads nothing has a reason, and its answer says it.
        drop(stdin.write_all(input));
    }
    let output = output.map(|pipe| pipe.recv_timeout(left()).map_err(|_| late())).transpose()?;
    let output = output.transpose().map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => format!("it wrote more than {} bytes", limits.output),
        _ => error.to_string(),
    })?;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if !left().is_zero() => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) => return Err(late()),
            Err(error) => return Err(error.to_string()),
        }
    };
    let errors = errors.and_then(|pipe| pipe.recv_timeout(left()).ok()?.ok());
    let (output, errors) = (output.unwrap_or_default(), errors.unwrap_or_default());
    Ok(Finished { status, output, errors })
}

/// Reads all of a pipe in a thread of its own, because a process that the program
/// started may keep it open.
fn read(pipe: impl Read + Send + 'static, limit: u64) -> Receiver<io::Result<Vec<u8>>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || drop(send.send(bounded(pipe, limit))));
    receive
}
