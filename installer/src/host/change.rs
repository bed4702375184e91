//! Changing a node. The receipt notes each change first.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, bail};
use bundle_format::Digest;
use bundle_format::parallel::each;

use super::place::told;
use super::{Host, say};
use crate::exec::{Command, Input, Output, last};
use crate::failure::Failure;
use crate::files::attributes::Attributes;
use crate::files::whole::{copy_whole, copy_whole_as};
use crate::host::package_change::PackageChange;
use crate::receipt::{self, Before, Deed, Intention, Line, Receipt, StepName};

impl Host {
    /// Notes that a run begins.
    pub fn begin(&mut self, line: Line) -> anyhow::Result<()> {
        self.journal()?.add(line)
    }

    /// Notes that all changes of a step were made.
    pub fn finish(&mut self, step: StepName) -> anyhow::Result<()> {
        self.journal()?.add(Line::Finished { step })
    }

    /// Writes a file.
    pub fn write(
        &mut self,
        step: StepName,
        path: &Path,
        text: &[u8],
        mode: u32,
    ) -> anyhow::Result<()> {
        self.copy(step, path, Digest::of(text), &mut &text[..], mode)
    }

    /// Writes a file from a reader, whose bytes must match the digest: the reader
    /// ends with an error if they do not.
    pub fn copy(
        &mut self,
        step: StepName,
        path: &Path,
        digest: Digest,
        from: &mut dyn Read,
        mode: u32,
    ) -> anyhow::Result<()> {
        let path = &self.file(path)?;
        self.make_parents(step, path)?;
        self.note_file(step, path, Some(digest))?;
        self.say(&format!("write {}\n", path.display()));
        let real = self.path(path);
        copy_whole(&real, from, mode).map_err(|error| told(error, path))
    }

    /// Writes a file, and has a running program read it by `then`. A reset goes
    /// backwards, so it restores the file before the program reads it.
    pub fn write_for(
        &mut self,
        step: StepName,
        path: &Path,
        text: &[u8],
        mode: u32,
        then: &Command,
    ) -> anyhow::Result<()> {
        self.note(step, ran(then, vec![then.clone()]))?;
        self.write(step, path, text, mode)?;
        self.execute(then, None).map(drop)
    }

    /// Removes a file.
    pub fn remove(&mut self, step: StepName, path: &Path) -> anyhow::Result<()> {
        if self.path(path).is_symlink() {
            return Err(Failure::new(
                format!("{} must be removed, but is a link to something else", path.display()),
                "find out what it is for, and remove it",
            )
            .into());
        }
        self.note_file(step, path, None)?;
        self.say(&format!("remove {}\n", path.display()));
        fs::remove_file(self.path(path)).with_context(|| format!("removing {}", path.display()))
    }

    /// Makes a folder. A reset removes it if it is empty.
    pub fn make(&mut self, step: StepName, path: &Path, mode: u32) -> anyhow::Result<()> {
        self.make_parents(step, path)?;
        self.note(step, Deed::Made { path: path.to_owned() })?;
        self.make_folder(path, mode)
    }

    /// Makes a folder. Everything in it is ours from then on.
    pub fn claim(&mut self, step: StepName, path: &Path, mode: u32) -> anyhow::Result<()> {
        self.make_parents(step, path)?;
        let before = self.mode(path)?;
        self.note(step, Deed::Claimed { path: path.to_owned(), before })?;
        if before.is_some() {
            return Ok(());
        }
        self.make_folder(path, mode)
    }

    /// Runs a command that must succeed. A reset first restores `files`, which
    /// the command writes, and then runs `undo`.
    pub fn run(
        &mut self,
        step: StepName,
        command: &Command,
        undo: &[Command],
        files: &[PathBuf],
        intention: Option<Intention>,
    ) -> anyhow::Result<()> {
        let (command, undo) = (command.clone(), undo.to_vec());
        self.note(step, Deed::Ran { command: command.clone(), undo, intention })?;
        for file in files {
            self.note_file(step, file, None)?;
        }
        self.execute(&command, None).map(drop)
    }

    /// Runs a command that reads `input`, and needs no undo.
    pub fn feed(
        &mut self,
        step: StepName,
        command: &Command,
        input: Input<'_>,
    ) -> anyhow::Result<()> {
        self.note(step, ran(command, Vec::new()))?;
        self.execute(command, Some(input)).map(drop)
    }

    /// Runs a command for each item, which `feed` writes to it, so many at a time. It needs no
    /// undo. Each has a name, for the log. All are run, also after one that failed. Gives how
    /// each ended.
    pub fn feed_each<T: Sync>(
        &mut self,
        step: StepName,
        command: &Command,
        items: &[(String, T)],
        at_a_time: usize,
        feed: impl Fn(&T, &mut dyn Write) -> io::Result<()> + Sync,
    ) -> anyhow::Result<Vec<anyhow::Result<()>>> {
        for _ in items {
            self.note(step, ran(command, Vec::new()))?;
        }
        let Self { exec, log, .. } = self;
        let (exec, log) = (&**exec, Mutex::new(log));
        let tell = |text: &str| say(&mut log.lock().unwrap_or_else(PoisonError::into_inner), text);
        Ok(each(items, at_a_time, |(name, item)| {
            tell(&format!("run {command} for {name}\n"));
            let begun = Instant::now();
            let output = exec.run(command, Some(&mut |out| feed(item, out)));
            tell(&format!("{name} took {:.1} s\n", begun.elapsed().as_secs_f32()));
            let output = output.with_context(|| format!("running `{command}`"))?;
            tell(last(&output.stdout, MOST_SAID));
            tell(last(&output.stderr, MOST_SAID));
            successful(command, output).map(drop)
        }))
    }

    /// Runs a command that installs packages.
    pub fn install(
        &mut self,
        step: StepName,
        command: &Command,
        packages: &[PackageChange],
    ) -> anyhow::Result<()> {
        let came = packages.iter().filter(|change| change.from.is_none());
        let deed = Deed::Installed {
            command: command.clone(),
            came: came.map(|change| change.package.clone()).collect(),
            replaced: packages.iter().filter_map(PackageChange::replaced).collect(),
        };
        self.note(step, deed)?;
        self.execute(command, None).map(drop)
    }

    /// Runs a command whose output is secret: no log and no error gets it.
    pub fn capture(&mut self, step: StepName, command: &Command) -> anyhow::Result<Output> {
        self.note(step, ran(command, Vec::new()))?;
        let output = self.log_and_run(command, None)?;
        self.say(last(&output.stderr, MOST_SAID));
        match output.succeeded() {
            true => Ok(output),
            false => successful(command, Output { stdout: String::new(), ..output }),
        }
    }

    /// Runs an undo command.
    pub fn take_back(&mut self, command: &Command) -> anyhow::Result<()> {
        self.execute(command, None).map(drop)
    }

    /// Notes that a deed was taken back. If this cannot be written, as on a full
    /// disk, the reset goes on: it would find out anyway that nothing is left.
    pub(crate) fn note_undone(&mut self, step: StepName, deed: &Deed) {
        if let Some(receipt) = &mut self.receipt {
            drop(receipt.add(Line::Undone { step: Some(step), deed: deed.clone() }));
        }
    }

    fn execute(&mut self, command: &Command, input: Option<Input<'_>>) -> anyhow::Result<Output> {
        let output = self.log_and_run(command, input)?;
        // yum and dnf say on standard output why they did nothing.
        self.say(last(&output.stdout, MOST_SAID));
        self.say(last(&output.stderr, MOST_SAID));
        successful(command, output)
    }

    /// Runs a command. The log gets its line and how long it took, and none of its output.
    fn log_and_run(
        &mut self,
        command: &Command,
        input: Option<Input<'_>>,
    ) -> anyhow::Result<Output> {
        self.say(&format!("run {command}\n"));
        let begun = Instant::now();
        let output = self.exec.run(command, input);
        self.say(&format!("it took {:.1} s\n", begun.elapsed().as_secs_f32()));
        output.with_context(|| format!("running `{command}`"))
    }

    fn make_folder(&mut self, path: &Path, mode: u32) -> anyhow::Result<()> {
        self.say(&format!("make {}\n", path.display()));
        let real = self.path(path);
        // The umask must not change the mode.
        fs::DirBuilder::new()
            .mode(mode)
            .create(&real)
            .and_then(|()| fs::set_permissions(&real, fs::Permissions::from_mode(mode)))
            .map_err(|error| told(error, path))
    }

    fn make_parents(&mut self, step: StepName, path: &Path) -> anyhow::Result<()> {
        let missing: Vec<PathBuf> = path
            .ancestors()
            .skip(1)
            .take_while(|parent| !self.exists(parent))
            .map(Path::to_owned)
            .collect();
        for folder in missing.into_iter().rev() {
            self.note(step, Deed::Made { path: folder.clone() })?;
            self.make_folder(&folder, 0o755)?;
        }
        Ok(())
    }

    fn note_file(
        &mut self,
        step: StepName,
        path: &Path,
        after: Option<Digest>,
    ) -> anyhow::Result<()> {
        // A reset restores the text from before our first change. Later texts
        // are not kept, because they may be secret.
        let before = match receipt::first(self.lines(), path) {
            Some(before) => before.clone(),
            None => match self.bytes(path)? {
                Some(text) => {
                    let attributes = Attributes::of(&self.path(path))
                        .with_context(|| format!("looking at {}", path.display()))?
                        .with_context(|| format!("{} has just gone", path.display()))?;
                    Before::File { kept: self.journal()?.keep(&text)?, attributes }
                }
                None => Before::Absent,
            },
        };
        self.note(step, Deed::Wrote { path: path.to_owned(), before, after })
    }

    fn note(&mut self, step: StepName, deed: Deed) -> anyhow::Result<()> {
        self.journal()?.add(Line::Deed { step, deed })
    }

    fn journal(&mut self) -> anyhow::Result<&mut Receipt> {
        self.receipt.as_mut().context("this node was opened to look at, not to change")
    }

    /// A text that the receipt kept.
    pub fn kept(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        receipt::kept(&self.path(receipt::FOLDER), name)
    }

    /// Restores a file. The receipt does not note this.
    pub fn put_back(
        &self,
        path: &Path,
        text: &[u8],
        attributes: &Attributes,
    ) -> anyhow::Result<()> {
        let real = self.path(self.file(path)?);
        let put = || {
            // The folder may have gone in an earlier reset.
            let mut folders = fs::DirBuilder::new();
            folders.recursive(true).mode(0o755);
            real.parent().map_or(Ok(()), |folder| folders.create(folder))?;
            let whole = attributes.clone().completed_by(Attributes::of(&real)?);
            copy_whole_as(&real, &mut &text[..], &whole)
        };
        put().map_err(|error| told(error, path))
    }
}

fn ran(command: &Command, undo: Vec<Command>) -> Deed {
    Deed::Ran { command: command.clone(), undo, intention: None }
}

/// The output of a command that succeeded; an error with its reason if it failed.
fn successful(command: &Command, output: Output) -> anyhow::Result<Output> {
    if output.succeeded() {
        return Ok(output);
    }
    bail!("`{command}` {}", output.end())
}

/// The most bytes of a command's output that the log gets.
const MOST_SAID: usize = 64 << 10;
