//! The place of a bundle. It gets its own name only when it is complete.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::archive::storage::{part_name, parts};
use bundle_format::{Digest, input, output};
use indicatif::HumanBytes;

use super::beside::Installer;
use super::unfinished::{MODE, Unfinished};
use crate::fetch::cache::Cache;

/// The most parts of a bundle.
const MAX_PARTS: u64 = 9999;

/// The path of a bundle, and the size of its parts.
#[derive(Clone, Debug)]
pub struct Output {
    /// The path of the bundle.
    pub path: PathBuf,
    /// The largest size of a part in bytes, if the bundle is cut into parts.
    pub split: Option<u64>,
}

impl Output {
    /// Creates the bundle's file before anything is fetched for it. This fails
    /// early if the folder is missing or not writable, or if another process
    /// builds the same bundle.
    pub(super) fn begin(&self) -> anyhow::Result<Unfinished> {
        // A bundle never replaces a device or a folder.
        output::file(&self.path).with_context(|| format!("--output {}", self.path.display()))?;
        if self.split.is_none() {
            self.check_parts(1)?;
        }
        let unfinished = Unfinished::create(&self.path)
            .with_context(|| format!("beginning {}", self.path.display()))?;
        // Parts that a killed build left.
        for (path, ..) in parts_of(unfinished.path())? {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
        Ok(unfinished)
    }

    /// Fails if there are parts of this name that the new ones, `count` of them,
    /// would not replace. Parts of two bundles under one name would be of no use.
    pub(super) fn check_parts(&self, count: usize) -> anyhow::Result<()> {
        let old: Vec<String> = parts_of(&self.path)?
            .into_iter()
            .filter(|(_, _, other)| *other != count)
            .map(|(path, ..)| path.display().to_string())
            .collect();
        if !old.is_empty() {
            bail!(
                "there are parts of another bundle: {}; remove them, or choose another --output",
                old.join(", ")
            );
        }
        Ok(())
    }

    /// The number of files for a bundle of `size` bytes.
    pub(super) fn count(&self, size: u64) -> anyhow::Result<usize> {
        let count = self.split.map_or(1, |part| size.div_ceil(part).max(1));
        if count > MAX_PARTS {
            bail!("--split would make {count} parts; choose a larger size");
        }
        Ok(usize::try_from(count)?)
    }

    /// Fails if the disk has no room for `size` bytes and `beside` more.
    pub(super) fn check_space(&self, size: u64, beside: u64) -> anyhow::Result<()> {
        // A part is copied before the file is shortened by it.
        let needed = size.saturating_add(self.split.map_or(0, |part| part.min(size)));
        let needed = needed.saturating_add(beside);
        check_folder(output::folder_of(&self.path), needed)
            .with_context(|| format!("writing {}", self.path.display()))
    }

    /// The path of the checksums.
    pub(super) fn sidecar(&self) -> PathBuf {
        sums_of(&self.path)
    }

    /// Gives the finished file its name. `sum` is its digest if it is one file. Cuts it into parts if the user asked for
    /// that. Then writes the installers beside it, and the checksums of all these
    /// files for `sha256sum -c`.
    pub(super) fn put(
        &self,
        mut whole: Unfinished,
        sum: Option<Digest>,
        installers: &[Installer<'_>],
        cache: &Cache,
    ) -> anyhow::Result<Vec<PathBuf>> {
        let size = whole.file().metadata()?.len();
        let count = self.count(size)?;
        let cut = match self.split {
            Some(part) if count > 1 => cut(&mut whole, &self.path, part, size, count)?,
            _ => Vec::new(),
        };
        let first = if count > 1 { part_name(&self.path, 1, count) } else { self.path.clone() };
        let sum = sum.filter(|_| count == 1).map_or_else(|| sum_of(whole.path()), Ok)?;
        let mut sums = line(sum, &first);
        for (written, path) in &cut {
            sums.push_str(&line(sum_of(written)?, path));
        }
        // If the build is killed after this line, there is a bundle without
        // checksums, or a mixture of parts that every reader refuses. Old
        // checksums would say that a good bundle is damaged. The next build
        // replaces all these files.
        let sidecar = self.sidecar();
        remove(&sidecar)?;
        let mut files = vec![first.clone()];
        for (written, path) in cut {
            fs::rename(&written, &path).with_context(|| format!("writing {}", path.display()))?;
            files.push(path);
        }
        // This comes last, because renaming the file also gives up its lock.
        whole.finish(&first).with_context(|| format!("writing {}", first.display()))?;
        // An older bundle in one file under this name could be taken for the new one.
        if count > 1 {
            remove(&self.path)?;
        }
        for installer in installers {
            installer.write(cache)?;
            sums.push_str(&installer.sum());
        }
        write_file(&sidecar, sums.as_bytes())?;
        Ok(files)
    }

    /// The digest of the bundle in one file.
    pub(super) fn sum(&self) -> anyhow::Result<Digest> {
        sum_of(&self.path)
    }

    /// Whether the checksums beside the bundle are those of a bundle with this digest and
    /// of these installers.
    pub(super) fn has_sums(&self, sum: Digest, installers: &[Installer<'_>]) -> bool {
        let sums = self.sums(sum, installers);
        input::file(&self.sidecar(), sums.len() as u64).is_ok_and(|own| own == sums.as_bytes())
    }

    /// Writes these checksums.
    pub(super) fn write_sums(
        &self,
        sum: Digest,
        installers: &[Installer<'_>],
    ) -> anyhow::Result<()> {
        write_file(&self.sidecar(), self.sums(sum, installers).as_bytes())
    }

    fn sums(&self, sum: Digest, installers: &[Installer<'_>]) -> String {
        let installers = installers.iter().map(Installer::sum);
        std::iter::once(line(sum, &self.path)).chain(installers).collect()
    }
}

/// The path of the checksums of the bundle at `bundle`.
pub(crate) fn sums_of(bundle: &Path) -> PathBuf {
    let mut sums = bundle.as_os_str().to_owned();
    sums.push(".sha256");
    PathBuf::from(sums)
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn sum_of(path: &Path) -> anyhow::Result<Digest> {
    let sum = File::open(path).and_then(|mut file| Digest::of_reader(&mut file));
    Ok(sum.with_context(|| format!("reading {}", path.display()))?.0)
}

/// A line for `sha256sum -c`.
fn line(sum: Digest, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{}  {name}\n", sum.hex())
}

/// The parts that exist under a bundle's name.
fn parts_of(path: &Path) -> anyhow::Result<Vec<(PathBuf, usize, usize)>> {
    parts(path).with_context(|| format!("looking for parts of {}", path.display()))
}

/// Cuts all parts except the first from a file's end, so that no second copy of the
/// whole file is needed. Returns each part's present path and its final one.
fn cut(
    whole: &mut Unfinished,
    bundle: &Path,
    part: u64,
    size: u64,
    count: usize,
) -> anyhow::Result<Vec<(PathBuf, PathBuf)>> {
    let mut files = Vec::new();
    for number in (2..=count).rev() {
        let start = part * (number as u64 - 1);
        let written = part_name(whole.path(), number, count);
        let file = whole.file();
        let mut copy = || -> io::Result<()> {
            let mut out = File::options().write(true).create_new(true).mode(MODE).open(&written)?;
            file.seek(SeekFrom::Start(start))?;
            let copied = io::copy(&mut (&mut *file).take(part), &mut out)?;
            if copied != part.min(size - start) {
                return Err(io::Error::other("the bundle was changed meanwhile"));
            }
            out.sync_all()?;
            file.set_len(start)
        };
        copy().with_context(|| format!("writing {}", written.display()))?;
        files.push((written, part_name(bundle, number, count)));
    }
    files.reverse();
    Ok(files)
}

/// Writes a small file. It is there whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        let (path, _) = output::file(path)?;
        let mut unfinished = Unfinished::at_once(&path, MODE)?;
        unfinished.file().write_all(bytes)?;
        unfinished.finish(&path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}

/// Whether both paths lead to one file that is there.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    let (one, other) = (fs::canonicalize(one), fs::canonicalize(other));
    matches!((one, other), (Ok(one), Ok(other)) if one == other)
}

/// Fails if the disk of `folder` has no room for `needed` bytes.
pub(super) fn check_folder(folder: &Path, needed: u64) -> anyhow::Result<()> {
    let disk = rustix::fs::statvfs(folder)
        .with_context(|| format!("asking for the space of {}", folder.display()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < needed {
        bail!(
            "{} has {} free, and {} are needed",
            folder.display(),
            HumanBytes(free),
            HumanBytes(needed)
        );
    }
    Ok(())
}
