//! The node's files and commands. What only looks goes straight through; what
//! changes anything is in the receipt first.

mod ask;
mod change;
mod look;
pub mod package_change;
mod place;
mod trial;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::text::Printable;
use rustix::fs::OFlags;

pub(crate) use self::place::unescaped;
use crate::exec::Exec;
use crate::receipt::{self, Line, Receipt, StepName};

/// What its commands said, and what was changed.
pub const LOG: &str = "/var/log/kubeferry/install.log";

/// A node, by its files and commands.
pub struct Host {
    root: PathBuf,
    exec: Box<dyn Exec>,
    receipt: Option<Receipt>,
    lines: Vec<Line>,
    log: Option<Printable<File>>,
    /// The step whose changes were made, and of which is asked whether all is done.
    checked: Option<StepName>,
}

impl Host {
    /// A node whose file system is at `root`, to look at.
    pub fn look(root: &Path, exec: Box<dyn Exec>) -> anyhow::Result<Self> {
        let lines = Receipt::read(&below(root, receipt::FOLDER))?.unwrap_or_default();
        Ok(Self { lines, ..Self::look_past_receipt(root, exec) })
    }

    /// One of which nothing is known but what can be seen, for where the receipt
    /// cannot be read.
    pub fn look_past_receipt(root: &Path, exec: Box<dyn Exec>) -> Self {
        Self {
            root: root.to_owned(),
            exec,
            receipt: None,
            lines: Vec::new(),
            log: None,
            checked: None,
        }
    }

    /// Makes it one to change: opens its receipt, and its log.
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
        // Nothing is waited for: the name may be that of a FIFO.
        options.append(true).create(true).mode(0o600);
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let opened = options.custom_flags(flags).open(&log).with_context(opening)?;
        if !opened.metadata().with_context(opening)?.is_file() {
            bail!("{} is no regular file; move it away", log.display());
        }
        self.log = Some(Printable::new(opened));
        Ok(self)
    }

    /// Whether it is the node that this program runs on, and no folder of one.
    pub fn is_this_system(&self) -> bool {
        self.root == Path::new("/")
    }

    /// The receipt's lines, the oldest first.
    pub fn lines(&self) -> &[Line] {
        self.receipt.as_ref().map_or(&self.lines, Receipt::lines)
    }

    /// Whether a step was begun and not finished.
    pub fn was_interrupted(&self, step: StepName) -> bool {
        !self.is_checked(step) && receipt::interrupted(self.lines(), step)
    }

    /// Whether all changes of a step were made at least once, and none was begun since.
    pub fn was_finished(&self, step: StepName) -> bool {
        self.is_checked(step)
            || receipt::finished(self.lines(), step) && !self.was_interrupted(step)
    }

    /// All changes of a step were made: from now on it is looked at as one that was not
    /// interrupted.
    pub(crate) fn check(&mut self, step: StepName) {
        self.checked = Some(step);
    }

    fn is_checked(&self, step: StepName) -> bool {
        self.checked == Some(step)
    }

    /// Where a path of the node is.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        below(&self.root, path)
    }

    /// Writes to the log what is no secret: who reads it on a terminal sees no
    /// colours and no moves of a command's. A full disk must not end a step.
    pub fn say(&mut self, text: &str) {
        if let Some(log) = &mut self.log {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            drop(log.write_all(format!("{text}{end}").as_bytes()));
        }
    }
}

fn below(root: &Path, path: impl AsRef<Path>) -> PathBuf {
    let path = path.as_ref();
    root.join(path.strip_prefix("/").unwrap_or(path))
}
