//! Commands: one of the two doors to the node.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

/// A command with its arguments, none of which is a secret: any process of the
/// node can read them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Command(Vec<String>);

impl Command {
    /// The program first.
    pub fn new<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }

    /// Splits a line at its spaces: for commands that are written in the code.
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

/// What became of a command.
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
    /// Whether it says that it did what it was asked.
    pub fn succeeded(&self) -> bool {
        self.status == Some(0)
    }
}

/// Writes what a command reads.
pub type Input<'a> = &'a mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

/// Runs commands on a node.
pub trait Exec {
    /// Runs `command` to its end. An error means that it did not run.
    fn run(&self, command: &Command, input: Option<Input<'_>>) -> io::Result<Output>;
}

/// Runs them for real.
pub struct SystemExec {
    /// The node's root file system, where it is not this system's own.
    pub root: Option<PathBuf>,
}

impl Exec for SystemExec {
    fn run(&self, command: &Command, input: Option<Input<'_>>) -> io::Result<Output> {
        let mut words = command.words().iter();
        let program = words.next().map_or("", String::as_str);
        let mut process = match &self.root {
            None => std::process::Command::new(program),
            Some(root) => {
                let mut chroot = std::process::Command::new("chroot");
                chroot.arg(root).arg(program);
                chroot
            }
        };
        // What is read from the output must be in the language we know.
        process.args(words).env("LC_ALL", "C").env("PATH", search_path());
        // A site's proxy is not for the nodes' own network, and kubeadm would
        // hand it on to the control plane.
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            process.env_remove(name).env_remove(name.to_uppercase());
        }
        process.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
        let (fed, out, err) = thread::scope(|scope| {
            let out = scope.spawn(|| read(stdout.as_mut()));
            let err = scope.spawn(|| read(stderr.as_mut()));
            let fed = match (input, child.stdin.take()) {
                (Some(input), Some(mut pipe)) => input(&mut pipe),
                _ => Ok(()),
            };
            (fed, out.join(), err.join())
        });
        let status = child.wait()?;
        let text = |bytes: thread::Result<io::Result<Vec<u8>>>| -> io::Result<String> {
            let bytes = bytes.map_err(|_| io::Error::other("reading its output failed"))??;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        match fed {
            // It ended before it had read all: its status says why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !status.success() => {}
            fed => fed?,
        }
        let status = match (status.code(), &self.root) {
            // chroot could not run it (its manual's statuses): there is none.
            (Some(125 | 126), Some(_)) => Some(127),
            (status, _) => status,
        };
        Ok(Output { status, stdout: text(out)?, stderr: text(err)? })
    }
}

/// Where commands are looked for: as this program was told, and then where
/// systems have them, of which `su` and some services know only a part.
fn search_path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/usr/bin:/sbin:/bin");
    path
}

fn read(pipe: Option<&mut impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
