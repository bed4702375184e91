//! What a step wants to change on the node. It is pure data, so that the plan shows
//! exactly what is then done.

use std::fmt;
use std::path::PathBuf;

use crate::exec::Command;
use crate::host::package_change::PackageChange;
use crate::receipt::Intention;

/// One change to the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<C> {
    /// A file gets this text.
    Write {
        /// The file.
        path: PathBuf,
        /// The whole text. It is never shown, because it may hold a secret.
        text: Vec<u8>,
        /// The permission bits of a new file. An existing file keeps its own,
        /// unless the text is secret: then only its owner may read it.
        mode: u32,
        /// The command by which a running program reads the file: now, and at
        /// a reset after the file is restored.
        then: Option<Command>,
        /// The reason, if the file's name does not tell it.
        why: Option<&'static str>,
    },
    /// A file is removed.
    Remove {
        /// The file.
        path: PathBuf,
    },
    /// A folder is made. What others put into it stays at a reset.
    Make {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A folder is made. Whatever is put into it is ours, and goes at a reset.
    Claim {
        /// The folder, which is absent or empty.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The node's own dnf or yum installs packages.
    Install {
        /// What happens to each.
        packages: Vec<PackageChange>,
        /// The commands, one after the other.
        commands: Vec<Command>,
    },
    /// A command is run.
    Run {
        /// The command.
        command: Command,
        /// The commands that take it back at a reset.
        undo: Vec<Command>,
        /// Files that the command writes. A reset restores them.
        files: Vec<PathBuf>,
        /// What the command is for, if a later run asks the receipt.
        intention: Option<Intention>,
    },
    /// A command that looks is repeated until it succeeds, because a program that
    /// was started answers only a while later.
    Await {
        /// The command.
        command: Command,
        /// The time limit, in seconds.
        seconds: u32,
    },
    /// A change that only runs of one purpose can make, such as an install with
    /// its bundle.
    Own(C),
}

impl<C> Change<C> {
    /// Writes a file that everybody may read, unless it exists with stricter
    /// permissions.
    pub fn write(path: impl Into<PathBuf>, text: impl Into<Vec<u8>>) -> Self {
        Self::Write { path: path.into(), text: text.into(), mode: 0o644, then: None, why: None }
    }

    /// Writes a file that only its owner may read.
    pub fn write_secret(path: impl Into<PathBuf>, text: impl Into<Vec<u8>>) -> Self {
        Self::Write { path: path.into(), text: text.into(), mode: 0o600, then: None, why: None }
    }

    /// Adds the reason for writing a file.
    #[must_use]
    pub(crate) fn because(mut self, reason: &'static str) -> Self {
        if let Self::Write { why, .. } = &mut self {
            *why = Some(reason);
        }
        self
    }

    /// Runs a command that needs no undo.
    pub fn run(line: &str) -> Self {
        Self::run_command(Command::of(line))
    }

    /// The same, for arguments with spaces.
    pub fn run_command(command: Command) -> Self {
        Self::Run { command, undo: Vec::new(), files: Vec::new(), intention: None }
    }

    /// Adds what a command is for.
    #[must_use]
    pub(crate) fn intended(mut self, to: Intention) -> Self {
        if let Self::Run { intention, .. } = &mut self {
            *intention = Some(to);
        }
        self
    }

    /// Runs a command that another one takes back.
    pub fn run_undone_by(line: &str, undo: &str) -> Self {
        let undo = vec![Command::of(undo)];
        Self::Run { command: Command::of(line), undo, files: Vec::new(), intention: None }
    }
}

impl<C: fmt::Display> fmt::Display for Change<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { path, then: Some(then), .. } => {
                write!(f, "write {}, and run {then}", path.display())
            }
            Self::Write { path, why: Some(why), .. } => {
                write!(f, "write {}: {why}", path.display())
            }
            Self::Write { path, .. } => write!(f, "write {}", path.display()),
            Self::Remove { path } => write!(f, "remove {}", path.display()),
            Self::Make { path, .. } | Self::Claim { path, .. } => {
                write!(f, "make the folder {}", path.display())
            }
            Self::Install { packages, .. } => f.write_str(&package_changes(packages)),
            Self::Run { command, .. } => write!(f, "run {command}"),
            Self::Await { command, seconds } => {
                write!(f, "wait for {command}, {seconds} s at most")
            }
            Self::Own(own) => own.fmt(f),
        }
    }
}

/// Every package by its name: `install a-1-1.noarch; upgrade b from 1-1 to 2-1`.
fn package_changes(packages: &[PackageChange]) -> String {
    let mut kinds = Vec::new();
    for verb in ["install", "upgrade", "downgrade"] {
        let names = packages.iter().filter(|change| change.verb() == verb);
        let names: Vec<String> = names.map(ToString::to_string).collect();
        if !names.is_empty() {
            kinds.push(format!("{verb} {}", names.join(", ")));
        }
    }
    kinds.join("; ")
}
