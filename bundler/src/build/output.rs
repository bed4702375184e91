//! Where a bundle goes: under its own name only when it is complete.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::Digest;
use bundle_format::archive::storage::{part_name, parts};
use indicatif::HumanBytes;
use rustix::fs::{FlockOperation, flock};

/// The place of a bundle, and how it is to be cut.
#[derive(Clone, Debug)]
pub struct Output {
    /// The bundle's name.
    pub path: PathBuf,
    /// The most bytes of a part, where it is to be cut.
    pub split: Option<u64>,
}

impl Output {
    /// Fails where files of another bundle lie under the name: a re-split leaves
    /// no old parts among the new.
    pub(super) fn check_free(&self) -> anyhow::Result<()> {
        let old: Vec<String> =
            parts(&self.path).into_iter().map(|(path, ..)| path.display().to_string()).collect();
        if !old.is_empty() {
            bail!(
                "parts of another bundle lie there: {}; remove them, or choose another --output",
                old.join(", ")
            );
        }
        Ok(())
    }

    /// Fails where the disk has no room for `size` bytes.
    pub(super) fn check_space(&self, size: u64) -> anyhow::Result<()> {
        // A part is copied before the whole is shortened by it.
        let needed = size + self.split.map_or(0, |part| part.min(size));
        check_folder(self.folder(), needed)
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// The name under which the bundle is written, in the same folder.
    pub(super) fn temporary(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!(".{name}.partial"))
    }

    /// Puts the finished file at `temporary` under its name, cut where it is to
    /// be, with checksums for `sha256sum -c` beside it.
    pub(super) fn put(&self, temporary: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let size = fs::metadata(temporary)?.len();
        let files = match self.split {
            Some(part) if part < size => cut(temporary, &self.path, part, size)?,
            _ => vec![(temporary.to_owned(), self.path.clone())],
        };
        let mut sums = String::new();
        for (written, path) in &files {
            let (digest, _) = Digest::of_reader(&mut File::open(written)?)
                .with_context(|| format!("reading {}", written.display()))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            sums.push_str(&format!("{}  {name}\n", digest.hex()));
        }
        for (written, path) in &files {
            fs::rename(written, path).with_context(|| format!("writing {}", path.display()))?;
        }
        // Another form of the bundle under the same name would be taken for it.
        if files.len() > 1 {
            drop(fs::remove_file(&self.path));
        }
        let mut sidecar = self.path.as_os_str().to_owned();
        sidecar.push(".sha256");
        write_file(Path::new(&sidecar), sums.as_bytes())?;
        Ok(files.into_iter().map(|(_, path)| path).collect())
    }
}

/// Cuts a file from its end, so that no second copy of the whole is needed.
/// Gives the names as written and as they are to be.
fn cut(
    whole: &Path,
    bundle: &Path,
    part: u64,
    size: u64,
) -> anyhow::Result<Vec<(PathBuf, PathBuf)>> {
    let count = usize::try_from(size.div_ceil(part))?;
    if count > 9999 {
        bail!("--split would make {count} parts; choose a larger size");
    }
    let mut files = Vec::new();
    let mut file = File::options().read(true).write(true).open(whole)?;
    for number in (2..=count).rev() {
        let start = part * (number as u64 - 1);
        let path = part_name(bundle, number, count);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let written = bundle.with_file_name(format!(".{name}.partial"));
        let mut copy = || -> io::Result<()> {
            let mut out = File::create(&written)?;
            file.seek(SeekFrom::Start(start))?;
            io::copy(&mut (&mut file).take(part), &mut out)?;
            out.sync_all()?;
            file.set_len(start)
        };
        copy().with_context(|| format!("writing {}", written.display()))?;
        files.push((written, path));
    }
    file.sync_all()?;
    files.push((whole.to_owned(), part_name(bundle, 1, count)));
    files.reverse();
    Ok(files)
}

/// Opens the unfinished file, empty, and holds it against other builds. What a
/// build that was killed left there is written over.
pub(super) fn create(path: &Path) -> anyhow::Result<File> {
    let open = || -> io::Result<File> {
        let file = File::options().write(true).create(true).truncate(false).open(path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| io::Error::other("another build writes it; wait for that one"))?;
        file.set_len(0)?;
        Ok(file)
    };
    open().with_context(|| format!("creating {}", path.display()))
}

/// Writes a small file so that it is there whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("writing {}", path.display()))
}

/// Fails where the disk of `folder` has no room for `needed` bytes.
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
