//! A node's files and commands. Looking goes straight through. A change is written to
//! the receipt before it is made.

mod ask;
mod change;
mod look;
pub mod package_change;
pub(crate) mod place;
mod program;
mod shared;
mod trial;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::text::Printable;
use rustix::fs::OFlags;

use crate::exec::Exec;
use crate::receipt::{self, Line, Receipt, StepName};

/// The log: what was changed, and what commands printed.
pub const LOG: &str = "/var/log/kubeferry/install.log";

/// A node, by its files and commands.
pub struct Host {
    root: PathBuf,
    exec: Box<dyn Exec>,
    receipt: Option<Receipt>,
    lines: Vec<Line>,
    log: Option<Printable<File>>,
    /// The step whose changes have just been made, and which is asked again
    /// whether anything is left.
    checked: Option<StepName>,
    shared: shared::Shared,
}

impl Host {
    /// Opens the node whose file system is at `root`, to look at it.
    pub fn look(root: &Path, exec: Box<dyn Exec>) -> anyhow::Result<Self> {
        let lines = Receipt::read(&below(root, receipt::FOLDER))?.unwrap_or_default();
        Ok(Self { lines, ..Self::look_past_receipt(root, exec) })
    }

    /// The same without the receipt, for when that cannot be read.
    pub fn look_past_receipt(root: &Path, exec: Box<dyn Exec>) -> Self {
        Self {
            root: root.to_owned(),
            exec,
            receipt: None,
            lines: Vec::new(),
            log: None,
            checked: None,
            shared: shared::Shared::default(),
        }
    }

    /// Opens the receipt and the log, so that the node can be changed.
    pub fn open(mut self) -> anyhow::Result<Self> {
        self.receipt = Some(Receipt::open(&self.path(receipt::FOLDER))?);
        let log = self.path(LOG);
        let folder = log.parent().unwrap_or(Path::new("/"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(folder)
            .with_context(|| format!("creating {}", folder.display()))?;
        let opening = || format!("opening {}", log.display());
        let mut options = OpenOptions::new();
        // Do not block: the name may be that of a FIFO.
        options.append(true).create(true).mode(0o600);
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let opened = options.custom_flags(flags).open(&log).with_context(opening)?;
        if !opened.metadata().with_context(opening)?.is_file() {
            bail!("{} is no regular file; move it away", log.display());
        }
        self.log = Some(Printable::new(opened));
        Ok(self)
    }

    /// Whether it is the system that this program runs on, and not a folder below
    /// `--root`.
    pub fn is_this_system(&self) -> bool {
        self.root == Path::new("/")
    }

    /// The receipt's lines, the oldest first.
    pub fn lines(&self) -> &[Line] {
        self.receipt.as_ref().map_or(&self.lines, Receipt::lines)
    }

    /// Whether a step began to make changes and did not finish.
    pub fn was_interrupted(&self, step: StepName) -> bool {
        !self.is_checked(step) && receipt::interrupted(self.lines(), step)
    }

    /// Whether a step finished once, and has not begun again since.
    pub fn was_finished(&self, step: StepName) -> bool {
        self.is_checked(step)
            || receipt::finished(self.lines(), step) && !self.was_interrupted(step)
    }

    /// Whether a step finished in these lines, the last ones, and has not begun again.
    pub(crate) fn was_finished_in(&self, step: StepName, lines: &[Line]) -> bool {
        self.is_checked(step)
            || receipt::finished(lines, step) && !receipt::interrupted(lines, step)
    }

    /// Notes that all changes of a step were made: from now on it does not count
    /// as interrupted.
    pub(crate) fn check(&mut self, step: StepName) {
        self.checked = Some(step);
    }

    fn is_checked(&self, step: StepName) -> bool {
        self.checked == Some(step)
    }

    /// Where a path of the node is on this system.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        below(&self.root, path)
    }

    /// Writes to the log. Never a secret. Text is made printable, so that nothing
    /// in it controls a terminal. A full disk must not end a step.
    pub fn say(&mut self, text: &str) {
        say(&mut self.log, text);
    }
}

fn say(log: &mut Option<Printable<File>>, text: &str) {
    if let Some(log) = log {
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        drop(log.write_all(format!("{text}{end}").as_bytes()));
    }
}

pub(crate) fn below(root: &Path, path: impl AsRef<Path>) -> PathBuf {
    let path = path.as_ref();
    root.join(path.strip_prefix("/").unwrap_or(path))
}
