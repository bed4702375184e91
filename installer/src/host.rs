//! The node's files and commands. What only looks goes straight through; what
//! changes anything is in the receipt first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::exec::{Command, Exec, Input, Output};
use crate::receipt::{self, Before, Deed, Line, Receipt};

/// A node, by its files and commands.
pub struct Host {
    root: PathBuf,
    exec: Box<dyn Exec>,
    receipt: Option<Receipt>,
    lines: Vec<Line>,
    log: Option<File>,
}

impl Host {
    /// A node whose file system is at `root`, to look at.
    pub fn look(root: &Path, exec: Box<dyn Exec>) -> anyhow::Result<Self> {
        let lines = Receipt::read(&below(root, receipt::FOLDER))?.unwrap_or_default();
        Ok(Self { root: root.to_owned(), exec, receipt: None, lines, log: None })
    }

    /// Makes it one to change: opens its receipt, and its log.
    pub fn open(mut self) -> anyhow::Result<Self> {
        self.receipt = Some(Receipt::open(&self.path(receipt::FOLDER))?);
        let log = self.path("/var/log/kubeferry/install.log");
        let folder = log.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&log);
        self.log = Some(opened.with_context(|| format!("opening {}", log.display()))?);
        Ok(self)
    }

    /// The receipt's lines, the oldest first.
    pub fn lines(&self) -> &[Line] {
        self.receipt.as_ref().map_or(&self.lines, Receipt::lines)
    }

    /// Whether a step was begun and not finished.
    pub fn was_interrupted(&self, step: &str) -> bool {
        receipt::interrupted(self.lines(), step)
    }

    /// Where a path of the node is.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        below(&self.root, path)
    }

    /// A file's text; none where there is no such file.
    pub fn read(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<String>> {
        let real = self.path(&path);
        match fs::read(&real) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error).with_context(|| format!("reading {}", real.display())),
        }
    }

    /// Whether there is anything of that name.
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    /// The names in a folder, sorted; none where there is no such folder.
    pub fn list(&self, path: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Whether nothing but folders is below a path, or nothing at all.
    pub fn has_no_file(&self, path: impl AsRef<Path>) -> bool {
        let path = path.as_ref();
        self.list(path).iter().all(|name| {
            let inner = path.join(name);
            self.path(&inner).is_dir() && self.has_no_file(&inner)
        })
    }

    /// A file's permission bits.
    pub fn mode(&self, path: impl AsRef<Path>) -> Option<u32> {
        Some(fs::metadata(self.path(path)).ok()?.permissions().mode() & 0o7777)
    }

    /// Runs a command that only looks. One that is not there fails as a shell
    /// would say it, with status 127.
    pub fn query(&self, line: &str) -> Output {
        self.ask(&Command::of(line))
    }

    /// As [`Host::query`], for words with spaces.
    pub fn ask(&self, command: &Command) -> Output {
        self.exec.run(command, None).unwrap_or_else(|error| Output {
            status: Some(127),
            stdout: String::new(),
            stderr: error.to_string(),
        })
    }

    /// Notes that a run begins.
    pub fn begin(&mut self, line: Line) -> anyhow::Result<()> {
        self.journal()?.add(line)
    }

    /// Notes that all changes of a step were made.
    pub fn finish(&mut self, step: &str) -> anyhow::Result<()> {
        self.journal()?.add(Line::Finished { step: step.to_owned() })
    }

    /// Writes a file.
    pub fn write(&mut self, step: &str, path: &Path, text: &[u8], mode: u32) -> anyhow::Result<()> {
        self.make_parents(step, path)?;
        let after = Some(bundle_format::Digest::of(text));
        self.note_file(step, path, after)?;
        self.say(&format!("write {}\n", path.display()));
        let real = self.path(path);
        write_whole(&real, text, mode).with_context(|| format!("writing {}", path.display()))
    }

    /// Writes a file that a running program then reads by `then`. At a reset,
    /// which goes backwards, the file is put back before it is read.
    pub fn write_for(
        &mut self,
        step: &str,
        path: &Path,
        text: &[u8],
        mode: u32,
        then: &Command,
    ) -> anyhow::Result<()> {
        self.note(step, Deed::Ran { command: then.clone(), undo: vec![then.clone()] })?;
        self.write(step, path, text, mode)?;
        self.execute(then, None).map(drop)
    }

    /// Removes a file.
    pub fn remove(&mut self, step: &str, path: &Path) -> anyhow::Result<()> {
        self.note_file(step, path, None)?;
        self.say(&format!("remove {}\n", path.display()));
        fs::remove_file(self.path(path)).with_context(|| format!("removing {}", path.display()))
    }

    /// Makes a folder. At a reset it goes if nothing is in it.
    pub fn make(&mut self, step: &str, path: &Path, mode: u32) -> anyhow::Result<()> {
        self.make_parents(step, path)?;
        self.note(step, Deed::Made { path: path.to_owned() })?;
        self.say(&format!("make {}\n", path.display()));
        fs::DirBuilder::new()
            .mode(mode)
            .create(self.path(path))
            .with_context(|| format!("making {}", path.display()))
    }

    /// Makes a folder, what is in which is ours from then on.
    pub fn claim(&mut self, step: &str, path: &Path, mode: u32) -> anyhow::Result<()> {
        self.make_parents(step, path)?;
        let before = self.mode(path);
        self.note(step, Deed::Claimed { path: path.to_owned(), before })?;
        if before.is_some() {
            return Ok(());
        }
        self.say(&format!("make {}\n", path.display()));
        fs::DirBuilder::new()
            .mode(mode)
            .create(self.path(path))
            .with_context(|| format!("making {}", path.display()))
    }

    /// Runs a command that must succeed. At a reset first `files`, which it
    /// writes, are as they were, and then `undo` is run.
    pub fn run(
        &mut self,
        step: &str,
        command: &Command,
        undo: &[Command],
        files: &[PathBuf],
        input: Option<Input<'_>>,
    ) -> anyhow::Result<Output> {
        self.note(step, Deed::Ran { command: command.clone(), undo: undo.to_vec() })?;
        for file in files {
            self.note_file(step, file, None)?;
        }
        self.execute(command, input)
    }

    fn execute(&mut self, command: &Command, input: Option<Input<'_>>) -> anyhow::Result<Output> {
        self.say(&format!("run {command}\n"));
        let output =
            self.exec.run(command, input).with_context(|| format!("running `{command}`"))?;
        self.say(&output.stderr);
        if output.succeeded() {
            return Ok(output);
        }
        let status = match output.status {
            Some(status) => format!("exited with status {status}"),
            None => "was ended by a signal".to_owned(),
        };
        let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
        let lines: Vec<&str> = said.trim().lines().collect();
        let last = lines.get(lines.len().saturating_sub(8)..).unwrap_or_default();
        bail!("`{command}` {status}: {}", last.join("\n    "))
    }

    /// Asks a command that only looks until it succeeds, every half second; an
    /// error with its last words when it has not within `seconds`.
    pub fn await_success(&mut self, command: &Command, seconds: u32) -> anyhow::Result<()> {
        let end = Instant::now() + Duration::from_secs(seconds.into());
        loop {
            let outcome = self.execute(command, None);
            if outcome.is_ok() || Instant::now() >= end {
                return outcome
                    .map(drop)
                    .with_context(|| format!("waited {seconds} s for an answer in vain"));
            }
            sleep(Duration::from_millis(500));
        }
    }

    /// Looks every half second until `is_there`; an error when that has not come
    /// within `seconds`. `what` is awaited, in the error's words.
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

    /// Writes to the log what is no secret. A full disk must not end a step.
    pub fn say(&mut self, text: &str) {
        if let Some(log) = &mut self.log {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            drop(log.write_all(format!("{text}{end}").as_bytes()));
        }
    }

    fn make_parents(&mut self, step: &str, path: &Path) -> anyhow::Result<()> {
        let missing: Vec<PathBuf> = path
            .ancestors()
            .skip(1)
            .take_while(|parent| !self.exists(parent))
            .map(Path::to_owned)
            .collect();
        for folder in missing.into_iter().rev() {
            self.note(step, Deed::Made { path: folder.clone() })?;
            fs::create_dir(self.path(&folder))
                .with_context(|| format!("making {}", folder.display()))?;
        }
        Ok(())
    }

    fn note_file(
        &mut self,
        step: &str,
        path: &Path,
        after: Option<bundle_format::Digest>,
    ) -> anyhow::Result<()> {
        let real = self.path(path);
        let before = match fs::read(&real) {
            Ok(text) => {
                let mode = self.mode(path).unwrap_or(0o644);
                Before::File { kept: self.journal()?.keep(&text)?, mode }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Before::Absent,
            Err(error) => {
                return Err(error).with_context(|| format!("reading {}", path.display()));
            }
        };
        self.note(step, Deed::Wrote { path: path.to_owned(), before, after })
    }

    fn note(&mut self, step: &str, deed: Deed) -> anyhow::Result<()> {
        self.journal()?.add(Line::Deed { step: step.to_owned(), deed })
    }

    fn journal(&mut self) -> anyhow::Result<&mut Receipt> {
        self.receipt.as_mut().context("this node was opened to look at, not to change")
    }

    /// A text that the receipt kept.
    pub fn kept(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.path(receipt::FOLDER).join("before").join(name);
        fs::read(path).with_context(|| format!("reading what was kept as {name}"))
    }

    /// Writes a file that is no part of the receipt.
    pub fn put_back(&self, path: &Path, text: &[u8], mode: u32) -> anyhow::Result<()> {
        let real = self.path(path);
        // A reset that is run again comes by what lay in a folder that has gone.
        real.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| write_whole(&real, text, mode))
            .with_context(|| format!("writing {}", path.display()))
    }
}

fn below(root: &Path, path: impl AsRef<Path>) -> PathBuf {
    let path = path.as_ref();
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// What a file is called until it is written in full.
pub(crate) fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".kubeferry-new");
    path.with_file_name(name)
}

/// Writes a file so that it is there in full or as it was before, also after
/// the power was lost.
pub(crate) fn write_whole(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let partial = partial(path);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&partial)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    // The name is as durable as the folder that has it.
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
