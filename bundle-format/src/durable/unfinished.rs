//! A file that gets its name only when all of its bytes are on the disk.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::held;

/// A file under a temporary name. If it is dropped before it is finished, it is
/// removed.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
    file: File,
    finished: bool,
}

impl Unfinished {
    /// Makes a new file at `path`, in the folder of the finished file. It has the
    /// permission bits `mode`, without those of the umask.
    pub fn create(path: PathBuf, mode: u32) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(mode).open(&path)?;
        Ok(Self::of(path, file))
    }

    /// Makes a file beside `target`, under a name that nobody can guess: in a folder that
    /// everybody may write to, no other user is there first. It has the permission bits `mode`,
    /// without those of the umask. If this process is killed, the file stays.
    pub fn beside(target: &Path, mode: u32) -> io::Result<Self> {
        let mut name = OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(".");
        let (file, path) = unnamed(target, &name, mode)?.keep().map_err(|error| error.error)?;
        Ok(Self::of(path, file))
    }

    /// Makes `.NAME.partial` beside `target`, and locks it against other processes until this
    /// is dropped. What a process left there that was killed is removed.
    pub fn held(target: &Path, mode: u32) -> io::Result<Self> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.partial"));
        let file = held::open(&path, mode).map_err(|error| in_folder_of(target, error))?;
        Ok(Self::of(path, file))
    }

    /// Takes over a file that this process has made at `path`.
    pub fn of(path: PathBuf, file: File) -> Self {
        Self { path, file, finished: false }
    }

    /// The current path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file, to write to.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Waits until the bytes are on the disk, and then gives the file its name. A
    /// file that has this name is replaced.
    pub fn finish(mut self, name: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, name)?;
        self.finished = true;
        Ok(())
    }
}

/// The folder that `path` is in: `.` for a name without a slash, whose parent is empty.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A new file in the folder of `target`, whose name begins with `prefix`, and which nobody can
/// guess. It has the permission bits `mode`, without those of the umask, and is removed if it is
/// dropped.
pub fn unnamed(target: &Path, prefix: &OsStr, mode: u32) -> io::Result<NamedTempFile> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(mode);
    let mut builder = tempfile::Builder::new();
    // `tempfile_in` would name the temporary file in its errors.
    let made = builder
        .prefix(prefix)
        .suffix(".partial")
        .make_in(folder_of(target), |path| options.open(path));
    made.map_err(|error| in_folder_of(target, error))
}

/// The error for a file that cannot be made beside `target`. If that is because of the folder,
/// it names the folder.
fn in_folder_of(target: &Path, error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => io::Error::new(
            error.kind(),
            format!(
                "no file can be made in the folder {} ({error}): name a file in another folder",
                folder_of(target).display()
            ),
        ),
        _ => error,
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            drop(fs::remove_file(&self.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::held::hold;
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn who_opened_it_before_it_was_finished_does_not_hold_what_was_finished() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b.tar");
        let mut first = Unfinished::held(&target, 0o644).unwrap();
        let path = first.path().to_owned();
        // The second build opens it now, and asks for the lock only later.
        let second = File::options().write(true).open(&path).unwrap();
        assert!(hold(&second, &path).unwrap_err().to_string().contains("another process"));
        first.file().write_all(b"bundle").unwrap();
        first.finish(&target).unwrap();
        assert!(!hold(&second, &path).unwrap());
        drop(second);
        // A third build starts again, and does not change it either.
        let third = Unfinished::held(&target, 0o644).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"bundle");
        drop(third);
        assert_eq!(names(folder.path()), ["b.tar"]);
    }

    #[test]
    fn the_second_of_two_is_refused_and_leaves_the_first_alone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b.tar");
        let mut first = Unfinished::held(&target, 0o644).unwrap();
        let error = Unfinished::held(&target, 0o644).unwrap_err();
        assert!(error.to_string().contains("another process writes it"), "{error}");
        first.file().write_all(b"bundle").unwrap();
        first.finish(&target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"bundle");
    }

    #[test]
    fn two_beside_one_target_have_other_names_and_the_last_to_finish_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("sums");
        let [first, mut second] = [0, 1].map(|_| Unfinished::beside(&target, 0o644).unwrap());
        assert_ne!(first.path(), second.path());
        let mode = fs::metadata(second.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o133, 0, "not more than it was asked for: {mode:o}");
        second.file().write_all(b"second").unwrap();
        first.finish(&target).unwrap();
        second.finish(&target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"second");
        drop(Unfinished::beside(&target, 0o600).unwrap());
        assert_eq!(names(folder.path()), ["sums"]);
    }

    #[test]
    fn another_users_file_is_named_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b.tar");
        let theirs = folder.path().join(".b.tar.partial");
        let held = File::create(&theirs).unwrap();
        if std::os::unix::fs::chown(&theirs, Some(1234), None).is_err() {
            eprintln!("skipped: needs root, to make another's file");
            return;
        }
        assert!(hold(&held, &theirs).unwrap());
        let error = Unfinished::held(&target, 0o644).unwrap_err().to_string();
        let said = format!("{} is there, which user 1234 made", theirs.display());
        assert!(error.starts_with(&said) && error.contains("another process writes it"), "{error}");
        // It does not stand in the way of what is written at once.
        Unfinished::beside(&target, 0o644).unwrap().finish(&target).unwrap();
    }

    #[test]
    fn what_lies_there_is_thrown_away_or_named_and_never_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b.tar");
        let partial = folder.path().join(".b.tar.partial");
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        fs::hard_link(&victim, &partial).unwrap();
        drop(Unfinished::held(&target, 0o644).unwrap());
        std::os::unix::fs::symlink(&victim, &partial).unwrap();
        let error = Unfinished::held(&target, 0o644).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        fs::remove_file(&partial).unwrap();
        fs::create_dir(&partial).unwrap();
        let error = Unfinished::held(&target, 0o644).unwrap_err().to_string();
        assert!(error.contains("is not a file"), "{error}");
    }
}
