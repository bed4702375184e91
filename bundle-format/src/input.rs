//! Reading files that others wrote. Each kind of file has a limit on its size, and
//! nothing here waits for a writer that may never come.

use std::fs::{File, OpenOptions};
use std::io::{self, Error, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl, major, minor};

/// The most bytes of a file that a person writes: a spec, a cluster file, a join
/// file, a kubeconfig, a login file, keys, certificates of authorities.
pub const WRITTEN_BY_HAND: u64 = 4 << 20;

/// The most bytes of the list of a machine's packages.
pub const PACKAGE_LIST: u64 = 16 << 20;

/// A byte order mark.
const MARK: char = '\u{feff}';

/// Reads the regular file at `path`. Anything else is refused.
pub fn file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    bounded(open(path)?, limit)
}

/// Opens the regular file at `path`. Anything else is refused, without waiting for
/// it.
pub fn open(path: &Path) -> io::Result<File> {
    let (file, kind) = open_any(path)?;
    match kind {
        Kind::Regular => Ok(file),
        Kind::Fifo => Err(not_regular("a FIFO")),
        Kind::Null => Err(not_regular("a device")),
    }
}

/// Reads what a person named on the command line: a regular file, or the FIFO that a
/// shell makes of `<(sops -d cluster.yaml)`. Devices other than `/dev/null` are
/// refused.
pub fn named(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let (file, kind) = open_any(path)?;
    if !matches!(kind, Kind::Fifo) {
        return bounded(file, limit);
    }
    // Only opening must not wait. Reading waits for the writer.
    let flags = fcntl_getfl(&file)?;
    fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
    let bytes = bounded(file, limit)?;
    if bytes.is_empty() {
        return Err(Error::other("it is a FIFO, and nothing was written into it"));
    }
    Ok(bytes)
}

/// Like [`named`], for a text.
pub fn named_text(path: &Path, limit: u64) -> io::Result<String> {
    text(named(path, limit)?)
}

/// Like [`fn@file`], for a text.
pub fn file_text(path: &Path, limit: u64) -> io::Result<String> {
    text(file(path, limit)?)
}

/// All bytes of `reader`. It is an error if there are more than `limit`.
pub fn bounded(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let words = format!("it has more than {limit} bytes, as nothing of its kind has");
    let mut bytes = Vec::new();
    Bounded::new(reader, limit, &words).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A reader that fails with [`io::ErrorKind::FileTooLarge`] if there are more bytes
/// than the limit. [`Read::take`] would report the end of the data instead.
pub struct Bounded<'a, R> {
    reader: R,
    left: u64,
    words: &'a str,
}

impl<'a, R: Read> Bounded<'a, R> {
    /// Reads at most `limit` bytes of `reader`. The error for more bytes says
    /// `words`.
    pub fn new(reader: R, limit: u64, words: &'a str) -> Self {
        Self { reader, left: limit, words }
    }
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // One byte above the limit tells whether there are more.
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).saturating_add(1);
        let end = most.min(buffer.len());
        let count = self.reader.read(buffer.get_mut(..end).unwrap_or_default())?;
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or_else(|| Error::new(io::ErrorKind::FileTooLarge, self.words))?;
        Ok(count)
    }
}

enum Kind {
    Regular,
    Fifo,
    /// `/dev/null`, which counts as an empty file.
    Null,
}

fn open_any(path: &Path) -> io::Result<(File, Kind)> {
    // Looks first, because opening some devices has an effect: a tape is rewound.
    kind(&std::fs::metadata(path)?)?;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let kind = kind(&file.metadata()?)?;
    Ok((file, kind))
}

fn kind(found: &std::fs::Metadata) -> io::Result<Kind> {
    let is = found.file_type();
    // `/dev/null` has the numbers 1 and 3 (Linux's devices.txt).
    let is_null = || (major(found.rdev()), minor(found.rdev())) == (1, 3);
    if is.is_file() {
        Ok(Kind::Regular)
    } else if is.is_fifo() {
        Ok(Kind::Fifo)
    } else if is.is_char_device() && is_null() {
        Ok(Kind::Null)
    } else if is.is_dir() {
        Err(Error::new(io::ErrorKind::IsADirectory, "it is a folder; name a file"))
    } else if is.is_socket() {
        Err(not_regular("a socket"))
    } else {
        Err(not_regular("a device"))
    }
}

fn not_regular(what: &str) -> Error {
    Error::other(format!("it is {what}, not a regular file"))
}

/// Without the mark that editors on Windows put at the beginning.
fn text(bytes: Vec<u8>) -> io::Result<String> {
    let mut text = String::from_utf8(bytes).map_err(|_| {
        Error::new(io::ErrorKind::InvalidData, "it is not UTF-8: save it as UTF-8 text")
    })?;
    if text.starts_with(MARK) {
        text.drain(..MARK.len_utf8());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::path::PathBuf;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn words<T>(result: io::Result<T>) -> String {
        result.map(drop).unwrap_err().to_string()
    }

    fn fifo(folder: &Path) -> PathBuf {
        let path = folder.join("fifo");
        mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        path
    }

    #[test]
    fn a_regular_file_is_read_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "12345").unwrap();
        for read in [file, named] {
            assert_eq!(read(&path, 5).unwrap(), b"12345");
            assert!(words(read(&path, 4)).contains("more than 4 bytes"));
            assert!(words(read(folder.path(), 4)).contains("folder"));
            assert_eq!(
                read(&folder.path().join("none"), 4).unwrap_err().kind(),
                io::ErrorKind::NotFound
            );
        }
    }

    #[test]
    fn a_text_from_windows_begins_behind_its_mark() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (bytes, text) in [("\u{feff}a\u{feff}", "a\u{feff}"), ("a", "a"), ("\u{feff}", "")] {
            fs::write(&path, bytes).unwrap();
            for read in [file_text, named_text] {
                assert_eq!(read(&path, 9).unwrap(), text);
            }
        }
        fs::write(&path, b"\xff\xfea\0").unwrap();
        assert!(words(named_text(&path, 9)).contains("save it as UTF-8 text"));
    }

    #[test]
    fn devices_and_fifos_are_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = fifo(folder.path());
        assert!(words(file(&fifo, 9)).contains("it is a FIFO"));
        assert!(words(named(&fifo, 9)).contains("nothing was written into it"));
        for device in ["/dev/zero", "/dev/urandom", "/dev/full"] {
            for read in [file, named] {
                assert!(words(read(Path::new(device), 9)).contains("it is a device"), "{device}");
            }
        }
        assert_eq!(named(Path::new("/dev/null"), 9).unwrap(), b"");
        assert!(words(file(Path::new("/dev/null"), 9)).contains("it is a device"));
    }

    #[test]
    fn a_fifo_that_a_person_named_is_read_and_bounded() {
        for (count, is_read) in [(5, true), (1 << 20, false)] {
            // A pipe, as a shell makes it for `<(…)`.
            let (reader, mut writer) = io::pipe().unwrap();
            let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
            let writing = std::thread::spawn(move || drop(writer.write_all(&vec![b'x'; count])));
            let read = named(&path, 9);
            // The writer must end too if the bytes are too many.
            drop(reader);
            writing.join().unwrap();
            assert_eq!(read.is_ok(), is_read, "{read:?}");
        }
    }
}
