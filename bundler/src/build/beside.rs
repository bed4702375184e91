//! The installers beside a bundle. On site, only the installer itself can read the
//! bundle, so a copy of it must be outside.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::lock::{Descriptor, Lock, LockedFile};
use bundle_format::{BundlePath, Digest, input, layout, output};

use super::unfinished::{PROGRAM, Unfinished};
use crate::fetch::cache::Cache;

/// The largest file of checksums, in bytes. A bundle has at most 9999 parts.
const MOST_SUMS: u64 = 4 << 20;

/// An installer, and the path that it is written to.
pub(super) struct Installer<'a> {
    /// Its name beside the bundle.
    name: String,
    /// The path that this name leads to.
    pub(super) path: PathBuf,
    pub(super) content: &'a Descriptor,
}

/// The installers of a lock, in the folder of the bundle at `bundle`. Fails if one of
/// their names belongs to another file, because such a file is never replaced.
pub(super) fn installers<'a>(
    lock: &'a Lock,
    bundle: &Path,
    cache: &Cache,
) -> anyhow::Result<Vec<Installer<'a>>> {
    let installer = |file: &'a LockedFile| match file.path {
        BundlePath::Installer { architecture } => Some((architecture, &file.content)),
        _ => None,
    };
    let locked: Vec<_> = lock.files.iter().filter_map(installer).collect();
    let mut installers = Vec::new();
    for (architecture, content) in &locked {
        let name = layout::name_of_installer(architecture, locked.len() == 1);
        let named = bundle.with_file_name(&name);
        let (path, _) =
            output::file(&named).with_context(|| format!("writing {}", named.display()))?;
        if path == bundle {
            bail!(
                "the bundle cannot be called {name}, because its installer has this name; choose \
                 another --output"
            );
        }
        let installer = Installer { name, path, content };
        if !installer.may_be_replaced(bundle, cache)? {
            bail!(
                "{} exists, and no bundle's checksums name it: move it away, or choose another \
                 --output",
                named.display()
            );
        }
        installers.push(installer);
    }
    Ok(installers)
}

impl Installer<'_> {
    /// Writes the installer, whole, under its name. If it is there already, it
    /// stays.
    pub(super) fn write(&self, cache: &Cache) -> anyhow::Result<()> {
        let bytes = cache.document(self.content)?;
        let write = || -> io::Result<()> {
            if self.is_there() {
                return Ok(());
            }
            let mut unfinished = Unfinished::at_once(&self.path, PROGRAM)?;
            unfinished.file().write_all(&bytes)?;
            unfinished.finish(&self.path)
        };
        write().with_context(|| format!("writing {}", self.path.display()))
    }

    fn is_there(&self) -> bool {
        let may_run = fs::metadata(&self.path).is_ok_and(|found| found.mode() & 0o100 != 0);
        may_run && self.has_its_bytes()
    }

    /// Whether the file there has the same bytes, so that writing it loses
    /// nothing.
    pub(super) fn has_its_bytes(&self) -> bool {
        let size = self.content.size;
        let digest = |path: &Path| Digest::of_reader(&mut fs::File::open(path)?);
        fs::metadata(&self.path).is_ok_and(|found| found.is_file() && found.len() == size)
            && digest(&self.path).is_ok_and(|(digest, _)| digest == self.content.digest)
    }

    /// Whether the installer may be written under its name. It may if there is no
    /// file, if the checksums beside a bundle name the file that is there, or if
    /// the cache knows it.
    fn may_be_replaced(&self, bundle: &Path, cache: &Cache) -> anyhow::Result<bool> {
        let looking = || format!("reading {}", self.path.display());
        let size = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            found => found.with_context(looking)?.len(),
        };
        let (digest, _) = fs::File::open(&self.path)
            .and_then(|mut file| Digest::of_reader(&mut file))
            .with_context(looking)?;
        if digest == self.content.digest || cache.open(digest, size).is_some() {
            return Ok(true);
        }
        let line = format!("{}  {}", digest.hex(), self.name);
        let files = fs::read_dir(output::folder_of(bundle)).with_context(looking)?;
        let sums = files.flatten().map(|file| file.path());
        let mut sums = sums.filter(|path| path.extension().is_some_and(|end| end == "sha256"));
        Ok(sums.any(|path| {
            input::file(&path, MOST_SUMS).is_ok_and(|text| {
                text.split(|byte| *byte == b'\n').any(|own| own == line.as_bytes())
            })
        }))
    }

    /// Its line for `sha256sum -c`.
    pub(super) fn sum(&self) -> String {
        format!("{}  {}\n", self.content.digest.hex(), self.name)
    }
}
