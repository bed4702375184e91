//! A folder in which files are written under names that others chose. Another user
//! who may write there could put a symbolic link in the way. So each folder is opened
//! by its name in the folder above, and no link is followed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::output;
use bundle_format::portable_path::PortablePath;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// An open folder.
pub(super) struct Folder {
    path: PathBuf,
    own: OwnedFd,
}

impl Folder {
    /// Opens the folder at `path`, and creates it if it is not there.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        if fs::metadata(path).is_ok_and(|found| !found.is_dir()) {
            bail!("{} is a file, not a folder: name a folder with `--folder`", path.display());
        }
        let open = || {
            // Of a name below the folder, the folder itself is on the way.
            output::check_folders(&path.join("name"))?;
            fs::DirBuilder::new().recursive(true).mode(0o755).create(path)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            Ok::<_, io::Error>(rustix::fs::open(path, flags, Mode::empty())?)
        };
        let own = open().with_context(|| format!("opening the folder {}", path.display()))?;
        Ok(Self { path: path.to_owned(), own })
    }

    /// The path of a file, for people.
    pub(super) fn shown(&self, title: &PortablePath) -> String {
        self.path.join(title).display().to_string()
    }

    /// Whether anything has this title, even a link that leads nowhere.
    pub(super) fn has(&self, title: &PortablePath) -> anyhow::Result<bool> {
        let (parents, name) = split(title);
        let mut folder = self.own.try_clone()?;
        for parent in parents {
            match self.enter(&folder, &parent)? {
                Some(inner) => folder = inner,
                None => return Ok(false),
            }
        }
        match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error).with_context(|| format!("looking for {}", self.shown(title))),
        }
    }

    /// Writes a file. It must not exist, and gets its name when it is whole. Its
    /// permission bits are `mode` less the umask.
    pub(super) fn write(
        &self,
        title: &PortablePath,
        mode: u32,
        write: impl FnOnce(&mut File) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let (parents, name) = split(title);
        let mut folder = self.own.try_clone()?;
        for parent in parents {
            folder = match self.enter(&folder, &parent)? {
                Some(inner) => inner,
                None => {
                    let made = rustix::fs::mkdirat(&folder, last(&parent), Mode::from(0o755));
                    match made {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(error) => return Err(error.into()),
                    }
                    self.enter(&folder, &parent)?.context("the folder that was made is gone")?
                }
            };
        }
        let mut unfinished = Unfinished::begin(folder, mode)?;
        write(&mut unfinished.file)?;
        unfinished.file.sync_all()?;
        Ok(unfinished.finish(name)?)
    }

    /// Opens the folder `path`, whose last name is in `above`. `None` if it is
    /// not there.
    fn enter(&self, above: &OwnedFd, path: &Path) -> anyhow::Result<Option<OwnedFd>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let shown = || self.path.join(path).display().to_string();
        match rustix::fs::openat(above, last(path), flags, Mode::empty()) {
            Ok(folder) => Ok(Some(folder)),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                let there = rustix::fs::statat(above, last(path), AtFlags::SYMLINK_NOFOLLOW);
                let is_link =
                    there.is_ok_and(|it| FileType::from_raw_mode(it.st_mode) == FileType::Symlink);
                let what = if is_link { "a symbolic link" } else { "no folder" };
                bail!("{} is {what}; remove it, or extract to another folder", shown())
            }
            Err(error) => Err(error).with_context(|| format!("opening the folder {}", shown())),
        }
    }
}

/// The folders of a title, the outermost first, and the name of the file.
fn split(title: &PortablePath) -> (Vec<PathBuf>, &str) {
    let (parents, name) = title.rsplit_once('/').unwrap_or(("", title));
    let mut folders: Vec<PathBuf> = Path::new(parents).ancestors().map(Path::to_owned).collect();
    folders.retain(|folder| !folder.as_os_str().is_empty());
    folders.reverse();
    (folders, name)
}

fn last(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}

/// A file that is being written, under a name that cannot be a title. It is removed
/// if it is dropped unfinished.
struct Unfinished {
    folder: OwnedFd,
    name: String,
    file: File,
    finished: bool,
}

impl Unfinished {
    fn begin(folder: OwnedFd, mode: u32) -> anyhow::Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        for number in 0_u64.. {
            let name = format!(".extracting-{}-{number}", std::process::id());
            match rustix::fs::openat(&folder, name.as_str(), flags, Mode::from(mode)) {
                Ok(file) => {
                    let file = File::from(file);
                    return Ok(Self { folder, name, file, finished: false });
                }
                // An earlier process with this number was killed and
                // left it.
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        bail!("no name is free for a new file")
    }

    /// Gives the file its name, unless another file has it.
    fn finish(mut self, name: &str) -> rustix::io::Result<()> {
        let (folder, own) = (self.folder.as_fd(), self.name.as_str());
        match rustix::fs::renameat_with(folder, own, folder, name, RenameFlags::NOREPLACE) {
            Ok(()) => self.finished = true,
            // Not every file system supports RENAME_NOREPLACE; NFS does
            // not. A hard link does the same.
            Err(Errno::INVAL | Errno::NOSYS) => {
                rustix::fs::linkat(folder, own, folder, name, AtFlags::empty())?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            rustix::fs::unlinkat(&self.folder, self.name.as_str(), AtFlags::empty()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::symlink;

    use super::*;

    fn write(folder: &Path, title: &str, text: &str) -> anyhow::Result<()> {
        let title = title.parse()?;
        let folder = Folder::open(folder)?;
        if folder.has(&title)? {
            bail!("it is there already");
        }
        folder.write(&title, 0o644, |file| Ok(file.write_all(text.as_bytes())?))
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn no_link_is_followed_and_nothing_is_written_over() {
        let (kept, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = kept.path();
        write(&folder.join("new/deep"), "a/b/c", "1").unwrap();
        assert_eq!(fs::read(folder.join("new/deep/a/b/c")).unwrap(), b"1");

        symlink(outside.path(), folder.join("rpms")).unwrap();
        fs::write(folder.join("file"), "mine").unwrap();
        fs::create_dir(folder.join("keys")).unwrap();
        symlink("../nowhere", folder.join("keys/x.asc")).unwrap();
        for (title, words) in [
            ("rpms/a.rpm", "is a symbolic link; remove it"),
            ("rpms/deep/a.rpm", "is a symbolic link"),
            ("file/a", "is no folder"),
            ("file", "there already"),
            ("keys/x.asc", "there already"),
            ("keys", "there already"),
        ] {
            let error = write(folder, title, "x").unwrap_err().to_string();
            assert!(error.contains(words), "{title}: {error}");
        }
        assert_eq!(names(outside.path()), [] as [&str; 0]);
        assert_eq!(fs::read(folder.join("file")).unwrap(), b"mine");
        // The folder itself may be a link, because the user named it.
        symlink(outside.path(), folder.join("there")).unwrap();
        write(&folder.join("there"), "a/b", "2").unwrap();
        assert_eq!(fs::read(outside.path().join("a/b")).unwrap(), b"2");
    }

    #[test]
    fn what_fails_leaves_no_name_and_what_comes_between_stays() {
        let kept = tempfile::tempdir().unwrap();
        let title: PortablePath = "a/b".parse().unwrap();
        let folder = Folder::open(kept.path()).unwrap();
        let half = |file: &mut File| {
            file.write_all(b"half")?;
            bail!("the disk is full")
        };
        folder.write(&title, 0o644, half).unwrap_err();
        assert_eq!(names(&kept.path().join("a")), [] as [&str; 0]);
        // Another process is faster.
        let place = kept.path().join("a/b");
        let between = |_: &mut File| Ok(fs::write(&place, "theirs")?);
        folder.write(&title, 0o644, between).unwrap_err();
        assert_eq!(fs::read(&place).unwrap(), b"theirs");
        assert_eq!(names(&kept.path().join("a")), ["b"]);
    }
}
