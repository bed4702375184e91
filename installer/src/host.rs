//! The node's files and commands. What only looks goes straight through; what
//! changes anything is in the receipt first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::exec::{Command, Exec, Input, Output};
use crate::failure::Failure;
use crate::receipt::{self, Before, Deed, Line, Receipt};

/// What its commands said, and what was changed.
pub const LOG: &str = "/var/log/kubeferry/install.log";

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
        let log = self.path(LOG);
        let folder = log.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&log);
        self.log = Some(opened.with_context(|| format!("opening {}", log.display()))?);
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
    pub fn was_interrupted(&self, step: &str) -> bool {
        receipt::interrupted(self.lines(), step)
    }

    /// Where a path of the node is.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        below(&self.root, path)
    }

    /// A file's text, to look at; none where there is no such file.
    pub fn read(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<String>> {
        Ok(self.bytes(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A file's text, to edit: refused where that would lose some of it.
    pub fn text(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<String>> {
        let Some(bytes) = self.bytes(&path)? else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|_| {
            Failure::new(
                format!("{} has letters in it that are not UTF-8", path.as_ref().display()),
                "write them anew, or `iconv -f latin1 -t utf8` them",
            )
        })?;
        Ok(Some(text))
    }

    /// What a file holds; none where there is no such file.
    pub fn bytes(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<Vec<u8>>> {
        let real = self.path(&path);
        match fs::read(&real) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", real.display())),
        }
    }

    /// Where a file is that is to be written: links are followed, so that they
    /// stay. Refuses what is no file.
    pub fn file(&self, path: impl AsRef<Path>) -> anyhow::Result<PathBuf> {
        let mut at = path.as_ref().to_owned();
        // As many as the kernel follows (path_resolution(7)).
        for _ in 0..40 {
            let Ok(to) = fs::read_link(self.path(&at)) else { break };
            at = at.parent().unwrap_or(Path::new("/")).join(to);
        }
        match self.path(&at).symlink_metadata() {
            Ok(meta) if !meta.is_file() => Err(Failure::new(
                format!("{} leads to {}, which is no file", path.as_ref().display(), at.display()),
                "move it away: a file is to be written there",
            )
            .into()),
            _ => Ok(at),
        }
    }

    /// Whether there is anything of that name.
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    /// The names in a folder, sorted; none where there is no such folder.
    pub fn list(&self, path: impl AsRef<Path>) -> anyhow::Result<Vec<String>> {
        let real = self.path(path);
        let names = || {
            let names = fs::read_dir(&real)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            names.collect::<io::Result<Vec<String>>>()
        };
        match names() {
            Ok(mut names) => {
                names.sort();
                Ok(names)
            }
            Err(error) if is_absence(&error) => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| format!("reading {}", real.display())),
        }
    }

    /// Whether nothing but folders is below a path, or nothing at all.
    pub fn has_no_file(&self, path: impl AsRef<Path>) -> anyhow::Result<bool> {
        let path = path.as_ref();
        for name in self.list(path)? {
            let inner = path.join(name);
            // A link is a file: what it leads to is not ours to empty.
            let kind = self.path(&inner).symlink_metadata();
            if !kind.is_ok_and(|kind| kind.is_dir()) || !self.has_no_file(&inner)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A file's permission bits.
    pub fn mode(&self, path: impl AsRef<Path>) -> Option<u32> {
        Some(fs::metadata(self.path(path)).ok()?.permissions().mode() & 0o7777)
    }

    /// The answer to a question of which a wrong no would do harm: an error
    /// where the command could not be run, or was ended before it had answered. A
    /// node that does not have the program says no, with status 127.
    pub fn answer(&self, command: &Command) -> anyhow::Result<Output> {
        let output = match self.exec.run(command, None) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Output { status: Some(127), ..Output::default() }
            }
            output => output.with_context(|| format!("running `{command}`"))?,
        };
        if output.status.is_none() {
            bail!("`{command}` was ended by a signal");
        }
        Ok(output)
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
        let path = &self.file(path)?;
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
        if self.path(path).is_symlink() {
            return Err(Failure::new(
                format!("{} is to go, and is a link to something else", path.display()),
                "look what it is for, and remove it",
            )
            .into());
        }
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

    /// Runs a command that takes back what was done.
    pub fn take_back(&mut self, command: &Command) -> anyhow::Result<()> {
        self.execute(command, None).map(drop)
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
                return outcome.map(drop).map_err(|error| {
                    let what = format!("waited {seconds} s for an answer in vain: {error:#}");
                    Failure::new(what, "`installer doctor` says what is wrong with this node")
                        .into()
                });
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
        // A reset goes back to what was there at first. Of what was written since
        // no copy is kept: it may be a secret.
        let before = match receipt::first(self.lines(), path) {
            Some(before) => before.clone(),
            None => match self.bytes(path)? {
                Some(text) => {
                    let mode = self.mode(path).unwrap_or(0o644);
                    Before::File { kept: self.journal()?.keep(&text)?, mode }
                }
                None => Before::Absent,
            },
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
        let real = self.path(self.file(path)?);
        // A reset that is run again comes by what lay in a folder that has gone.
        real.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| write_whole(&real, text, mode))
            .with_context(|| format!("writing {}", path.display()))
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
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
    // What a lost power left; or, in a folder that all may write to, a link of
    // somebody who wants to read along.
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&partial)?;
    let owner = fs::metadata(path).ok().filter(|_| mode & 0o077 != 0);
    if let Some(owner) = owner {
        // A file for one's own eyes becomes ours.
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    // The name is as durable as the folder that has it.
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
