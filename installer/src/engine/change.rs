//! What a step wants to be different on the node: pure data, so that a plan is
//! the deed before it is done.

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
        /// Its whole text; never shown, for it may hold a secret.
        text: Vec<u8>,
        /// Its permission bits where it is new; one that is there keeps its own,
        /// unless it is to be for its owner's eyes only.
        mode: u32,
        /// What has a running program read it: now, and at a reset, when the file
        /// is as it was.
        then: Option<Command>,
        /// Why, where the file's name does not say it.
        why: Option<&'static str>,
    },
    /// A file goes.
    Remove {
        /// The file.
        path: PathBuf,
    },
    /// A folder is made; what others put into it stays.
    Make {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A folder is made; whatever comes to be in it is ours, and goes when the
    /// node is reset.
    Claim {
        /// The folder, which is absent or empty.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Packages are put in by the node's own dnf or yum.
    Install {
        /// What becomes of each.
        packages: Vec<PackageChange>,
        /// What does it, one after the other.
        commands: Vec<Command>,
    },
    /// A command is run.
    Run {
        /// The command.
        command: Command,
        /// What takes it back when the node is reset.
        undo: Vec<Command>,
        /// Files that it writes, which are then as they were before.
        files: Vec<PathBuf>,
        /// What for, where a later run asks the receipt for it.
        intention: Option<Intention>,
    },
    /// A command that looks is asked until it succeeds: what was started answers
    /// a while later.
    Await {
        /// The command.
        command: Command,
        /// For how many seconds, at most.
        seconds: u32,
    },
    /// What only runs for one purpose can do: of an install, with its bundle.
    Own(C),
}

impl<C> Change<C> {
    /// A file that all may read, unless it is there and they may not.
    pub fn write(path: impl Into<PathBuf>, text: impl Into<Vec<u8>>) -> Self {
        Self::Write { path: path.into(), text: text.into(), mode: 0o644, then: None, why: None }
    }

    /// A file that its owner may read.
    pub fn write_secret(path: impl Into<PathBuf>, text: impl Into<Vec<u8>>) -> Self {
        Self::Write { path: path.into(), text: text.into(), mode: 0o600, then: None, why: None }
    }

    /// A file that is written for a reason.
    #[must_use]
    pub(crate) fn because(mut self, reason: &'static str) -> Self {
        if let Self::Write { why, .. } = &mut self {
            *why = Some(reason);
        }
        self
    }

    /// A command that needs no taking back.
    pub fn run(line: &str) -> Self {
        Self::run_command(Command::of(line))
    }

    /// The same, for words with spaces.
    pub fn run_command(command: Command) -> Self {
        Self::Run { command, undo: Vec::new(), files: Vec::new(), intention: None }
    }

    /// A command with what it is run for.
    #[must_use]
    pub(crate) fn intended(mut self, to: Intention) -> Self {
        if let Self::Run { intention, .. } = &mut self {
            *intention = Some(to);
        }
        self
    }

    /// A command, and the one that takes it back.
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
