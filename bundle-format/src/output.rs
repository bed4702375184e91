//! Writing to a path that a person named. A regular file is replaced as a whole or
//! stays as it was. Anything else, such as a pipe, is written to and never replaced. `-` is
//! standard output.

mod stream;

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Error, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::geteuid;

pub use self::stream::Quiet;
use crate::durable::Unfinished;
pub use crate::durable::folder_of;

/// How many links on the way to a file are looked at. The kernel follows 40 (`path_resolution(7)`);
/// here, one that is on the way to several others counts for each.
const MAX_LINKS: u32 = 200;

/// What a path leads to.
#[derive(Debug)]
pub enum Destination {
    /// A regular file that exists, or one to be made. Links to it stay.
    File {
        /// The file's own path, with all links followed.
        path: PathBuf,
        /// The file's permission bits, if it exists.
        mode: Option<u32>,
    },
    /// Something that takes bytes, such as a pipe. It is not replaced.
    Stream(File),
}

impl Destination {
    /// Finds what `path` leads to. A folder, a disk and a socket are refused.
    pub fn of(path: &Path) -> io::Result<Self> {
        let path = named(path);
        Ok(match look(path)? {
            Found::File { path, mode } => Self::File { path, mode },
            // A shell may have opened a file for this program, so the
            // bytes go to its end.
            Found::Other { own, found } => Self::Stream(match own_stream(&own)? {
                Some(file) => file,
                None => stream(path, &found)?,
            }),
        })
    }
}

/// Fails if nothing can be written to `path`, by what it leads to. Nothing is opened.
pub fn check(path: &Path) -> io::Result<()> {
    look(named(path)).map(drop)
}

/// The regular file that `path` leads to, with all links followed, and its permission
/// bits if it exists. Anything else is refused.
pub fn file(path: &Path) -> io::Result<(PathBuf, Option<u32>)> {
    if is_dash(path) {
        return Err(Error::other(
            "standard output is no file, and a file is needed here: name one",
        ));
    }
    match look(path)? {
        Found::File { path, mode } => Ok((path, mode)),
        Found::Other { .. } => Err(Error::other("it exists and is no regular file")),
    }
}

/// Whether `path` is `-`, which means standard output.
fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// What was meant by `path`.
fn named(path: &Path) -> &Path {
    if is_dash(path) { Path::new("/dev/stdout") } else { path }
}

enum Found {
    File { path: PathBuf, mode: Option<u32> },
    Other { own: PathBuf, found: Metadata },
}

fn look(path: &Path) -> io::Result<Found> {
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(is_folder(path));
    }
    let (own, is_descriptor) = followed(path)?;
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Found::File { path: own, mode: None });
        }
        Err(error) => return Err(error),
    };
    let is = found.file_type();
    if is.is_dir() {
        Err(is_folder(path))
    } else if is.is_block_device() {
        Err(Error::other("it is a disk; name a file"))
    } else if is.is_file() && !is_descriptor {
        Ok(Found::File { path: own, mode: Some(found.mode() & 0o7777) })
    } else {
        // Whoever made a pipe reads what is written to it.
        if !is_descriptor {
            check_maker(&own, &folder_of(&own).canonicalize()?, "pipe")?;
        }
        Ok(Found::Other { own, found })
    }
}

/// Writes `bytes` to what `path` leads to. A new file gets the permission bits `mode`
/// from its first byte on. A file that existed keeps only those of them that it had.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    write_by(path, mode, |out| out.write_all(bytes))
}

/// The same with what `write` writes. If that fails, a file stays as it was.
pub fn write_by<E: From<Error>>(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    match Destination::of(path)? {
        Destination::File { path, mode: old } => replace(&path, mode & old.unwrap_or(mode), write),
        Destination::Stream(mut file) => write(&mut file),
    }
}

/// Gives a complete new file this name.
fn replace<E: From<Error>>(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let mut unfinished = Unfinished::beside(path, 0o600)?;
    unfinished.file().set_permissions(Permissions::from_mode(mode))?;
    write(unfinished.file())?;
    Ok(unfinished.finish(path)?)
}

/// The real path of the folder that `path` is in. If there is no such folder, the error names it.
pub fn existing_folder(path: &Path) -> io::Result<PathBuf> {
    let folder = folder_of(path);
    folder.canonicalize().map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::new(
            error.kind(),
            format!(
                "the folder {} does not exist: make it first, or name a file in another folder",
                folder.display()
            ),
        ),
        _ => error,
    })
}

/// Follows all links of `path`. Also says whether they lead to an open descriptor, as
/// `/dev/stdout` and `/dev/fd/63` do.
fn followed(path: &Path) -> io::Result<(PathBuf, bool)> {
    let mut at = path.to_owned();
    // The kernel follows this many links (path_resolution(7)).
    for _ in 0..40 {
        let real = existing_folder(&at)?;
        check_folders(&at)?;
        if real.starts_with("/proc") {
            return Ok((at, true));
        }
        match fs::read_link(&at) {
            Ok(to) => {
                check_maker(&at, &real, "link")?;
                at = at.parent().unwrap_or(Path::new("")).join(to);
            }
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound) => {
                return Ok((at, false));
            }
            Err(error) => return Err(error),
        }
    }
    Err(too_many_links())
}

/// This program's own standard output or error, as a copy of its descriptor. If it
/// were opened again, writing could start at another place in it, and a socket cannot
/// be opened at all.
#[expect(clippy::disallowed_methods, reason = "a copy of the descriptor, and no text")]
fn own_stream(path: &Path) -> io::Result<Option<File>> {
    let own = format!("/proc/{}/fd", std::process::id());
    // The parent of a path without a slash is empty.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map(Path::canonicalize).transpose()?;
    if folder != Some(own.into()) {
        return Ok(None);
    }
    let owned = match path.file_name().and_then(|name| name.to_str()) {
        Some("1") => io::stdout().as_fd().try_clone_to_owned()?,
        Some("2") => io::stderr().as_fd().try_clone_to_owned()?,
        _ => return Ok(None),
    };
    Ok(Some(owned.into()))
}

/// In a folder that everybody may write to, uses a link or a pipe only if this user or the
/// folder's owner made it. The kernel does the same with `fs.protected_symlinks` (proc(5)),
/// if that is on, and if the folder is sticky.
fn check_maker(path: &Path, folder: &Path, kind: &str) -> io::Result<()> {
    let folder = fs::metadata(folder)?;
    let owner = fs::symlink_metadata(path)?.uid();
    let is_open_to_all = folder.mode() & 0o002 != 0;
    if is_open_to_all && owner != geteuid().as_raw() && owner != folder.uid() {
        return Err(Error::other(format!(
            "{} is another user's {kind} in a folder that everybody may write to; name another \
             file",
            path.display()
        )));
    }
    Ok(())
}

/// The same for each folder on the way to `path` that is a link, and on the way to where that
/// leads. An error if another user made it where everybody may write.
pub fn check_folders(path: &Path) -> io::Result<()> {
    let mut left = MAX_LINKS;
    check_way(path, &mut left)
}

/// `left` says how many links more may be looked at.
fn check_way(path: &Path, left: &mut u32) -> io::Result<()> {
    let is_link = |place: &&Path| fs::symlink_metadata(place).is_ok_and(|found| found.is_symlink());
    for link in path.ancestors().skip(1).filter(is_link) {
        check_maker(link, &folder_of(link).canonicalize()?, "link")?;
        *left = left.checked_sub(1).ok_or_else(too_many_links)?;
        let to = link.parent().unwrap_or(Path::new("")).join(fs::read_link(link)?);
        // Of a name below it, the place itself is on the way.
        check_way(&to.join("name"), left)?;
    }
    Ok(())
}

fn too_many_links() -> Error {
    Error::other("too many links lead to it")
}

/// Opens what is no file to be replaced. It must still be what was `found`.
fn stream(path: &Path, found: &Metadata) -> io::Result<File> {
    let at_end = found.is_file();
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let opened = OpenOptions::new().write(true).append(at_end).custom_flags(flags).open(path);
    let file = opened.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::NXIO) => Error::other(
            "nobody reads from it: start its reader first, or name a file; a socket is refused",
        ),
        _ => error,
    })?;
    let now = file.metadata()?;
    if (now.dev(), now.ino()) != (found.dev(), found.ino()) {
        return Err(Error::other("somebody has just put something else there; name another file"));
    }
    // Only opening must not wait for a reader. Writing waits again.
    let flags = fcntl_getfl(&file)?;
    fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
    Ok(file)
}

fn is_folder(path: &Path) -> Error {
    let path = path.display().to_string();
    let folder = path.trim_end_matches('/');
    Error::new(
        ErrorKind::IsADirectory,
        format!("it is a folder; name a file in it, such as {folder}/NAME"),
    )
}

#[cfg(test)]
mod tests;
