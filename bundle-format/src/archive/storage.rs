//! The bytes of a bundle: in one file, in parts, or far away.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::far::Far;
use super::part_size::sizes;
use crate::output::folder_of;

/// `O_NONBLOCK`. It has the same value on every Linux that nodes run.
const NONBLOCK: i32 = 0o4000;

/// A bundle's bytes. Any number of threads can read them, at any offset.
#[derive(Debug)]
pub struct Storage {
    segments: Vec<Segment>,
    length: u64,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    bytes: Bytes,
    start: u64,
    length: u64,
}

#[derive(Debug)]
enum Bytes {
    File(File),
    Far(Far),
    /// A part that is not there.
    Gone,
}

/// Why the files of a bundle cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no such file.
    #[error("there is no bundle {}: name its file, or any of its parts", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Some parts are missing.
    #[error("{} has {count} parts, and these are missing: {}; copy them again", bundle.display(), .missing.join(", "))]
    Missing {
        /// The name without the suffix of a part.
        bundle: PathBuf,
        /// How many parts there should be.
        count: usize,
        /// The names of the missing parts.
        missing: Vec<String>,
    },
    /// There are parts of two different splits of the bundle in the folder.
    #[error("the parts of {} are from several splits: {}; keep only the parts of one split", bundle.display(), .parts.join(", "))]
    Mixed {
        /// The name without the suffix of a part.
        bundle: PathBuf,
        /// The parts.
        parts: Vec<String>,
    },
    /// A part is too short: all parts except the last have the same size, and the
    /// last is not larger.
    #[error("{} has {length} bytes, and {} has {other_length}: it is cut short, or it is another part under this name; copy it again", part.display(), other.display())]
    Short {
        /// The short part.
        part: PathBuf,
        /// Its size in bytes.
        length: u64,
        /// A longer part.
        other: PathBuf,
        /// The longer part's size in bytes.
        other_length: u64,
    },
}

impl StorageError {
    fn unopened(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Absent { path },
            _ => Self::Open { path, source },
        }
    }
}

/// The largest number of parts of a bundle.
const MAX_PARTS: usize = 9999;

/// The name of part `number` (from 1) of `count`: `NAME.part02of03`.
pub fn part_name(bundle: &Path, number: usize, count: usize) -> PathBuf {
    let width = count.to_string().len().max(2);
    let mut name = bundle.as_os_str().to_owned();
    name.push(format!(".part{number:0width$}of{count:0width$}"));
    PathBuf::from(name)
}

/// The name of a whole bundle, by its own path or that of any of its parts.
pub fn whole_name(path: &Path) -> PathBuf {
    parse_part(path).map_or_else(|| path.to_owned(), |(bundle, ..)| bundle)
}

/// The path of the file that lies beside the bundle at `path`, which may be any of its parts:
/// its name with `ending`.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut path = whole_name(path).into_os_string();
    path.push(ending);
    PathBuf::from(path)
}

/// The same for who reads it. If a link leads to the bundle, that file may lie beside the link,
/// which comes first, or beside the bundle itself.
pub(crate) fn found_beside(path: &Path, ending: &str) -> PathBuf {
    let own = beside(path, ending);
    if own.symlink_metadata().is_ok() {
        return own;
    }
    let real = path.canonicalize().map(|real| beside(&real, ending));
    real.ok().filter(|real| real.exists()).unwrap_or(own)
}

/// The bundle's name and the two numbers in a part's name. Only a name that
/// [`part_name`] gives is a part's name: `NAME.part05of04` is another file.
fn parse_part(path: &Path) -> Option<(PathBuf, usize, usize)> {
    let name = path.to_str()?;
    let (bundle, numbers) = name.rsplit_once(".part")?;
    let (number, count) = numbers.split_once("of")?;
    let (bundle, number, count) =
        (PathBuf::from(bundle), number.parse().ok()?, count.parse().ok()?);
    let is_part = (1..=MAX_PARTS).contains(&count)
        && (1..=count).contains(&number)
        && part_name(&bundle, number, count) == path;
    is_part.then_some((bundle, number, count))
}

impl Storage {
    /// Opens the bundle at `path`. This is the file itself, any of its parts, or
    /// the parts' common name.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let Some((bundle, wanted)) = wanted(path)? else {
            return Self::of_files(vec![path.to_owned()]);
        };
        let shown = |path: &PathBuf| name_of(path);
        let missing: Vec<String> = wanted.iter().filter(|path| !path.exists()).map(shown).collect();
        if !missing.is_empty() {
            // There may be thousands. Some of them say enough.
            let missing = missing.into_iter().take(20).collect();
            return Err(StorageError::Missing { bundle, count: wanted.len(), missing });
        }
        Self::of_files(wanted)
    }

    /// The same for a bundle of `length` bytes, of which parts may be cut short or gone. What is
    /// missing leaves a hole, and reading there is an error. Several sizes of the parts may be
    /// possible ([`sizes`]): this gives the bundle for each, and nothing if none is possible.
    pub(super) fn with_holes(path: &Path, length: u64) -> Result<Vec<Self>, StorageError> {
        let Some((_, wanted)) = wanted(path)? else { return Self::open(path).map(|one| vec![one]) };
        let found: Vec<_> = wanted.iter().map(|path| open_file(path).ok().map(|it| it.1)).collect();
        let of_size = |size: u64| {
            let segment = |(path, start): (&PathBuf, u64)| {
                let bytes = open_file(path).map_or(Bytes::Gone, |(file, _)| Bytes::File(file));
                let length = size.min(length - start.min(length));
                Segment { path: path.clone(), bytes, start, length }
            };
            let starts = (0..).map(|number: u64| number.saturating_mul(size));
            Self { segments: wanted.iter().zip(starts).map(segment).collect(), length }
        };
        Ok(sizes(&found, length).into_iter().map(of_size).collect())
    }

    /// The bytes of a bundle that is at `address`.
    pub(super) fn far(address: &str, far: Far) -> Self {
        let (path, length) = (PathBuf::from(address), far.length());
        let segment = Segment { path, bytes: Bytes::Far(far), start: 0, length };
        Self { segments: vec![segment], length }
    }

    fn of_files(paths: Vec<PathBuf>) -> Result<Self, StorageError> {
        let mut segments = Vec::new();
        let mut start = 0;
        for path in paths {
            let (file, length) =
                open_file(&path).map_err(|source| StorageError::unopened(&path, source))?;
            segments.push(Segment { path, bytes: Bytes::File(file), start, length });
            start += length;
        }
        check_sizes(&segments)?;
        Ok(Self { segments, length: start })
    }

    /// The file that holds `offset`, or the last file, and the offset in it.
    pub(super) fn place(&self, offset: u64) -> (&Path, u64) {
        match self.segment(offset) {
            Some(segment) => (&segment.path, offset - segment.start),
            None => (Path::new(""), offset),
        }
    }

    /// The last segment that begins at or before `offset`. Each read asks this,
    /// and there may be thousands of parts, so it is a binary search.
    fn segment(&self, offset: u64) -> Option<&Segment> {
        let behind = self.segments.partition_point(|segment| segment.start <= offset);
        self.segments.get(behind.checked_sub(1)?)
    }

    /// The names of the parts that hold these bytes. Empty if the bundle is one
    /// file.
    pub(super) fn parts(&self, offset: u64, size: u64) -> Vec<String> {
        let end = offset.saturating_add(size);
        let lies =
            |segment: &&Segment| segment.start < end && offset < segment.start + segment.length;
        let name = |segment: &Segment| name_of(&segment.path);
        match self.segments.as_slice() {
            [_] => Vec::new(),
            parts => parts.iter().filter(lies).map(name).collect(),
        }
    }

    /// The size of all files in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The files, in order. A bundle that is far away has none.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let files = self.segments.iter().filter(|one| matches!(one.bytes, Bytes::File(_)));
        files.map(|segment| segment.path.as_path())
    }

    /// Where it is, if that is far away.
    pub(super) fn address(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [Segment { path, bytes: Bytes::Far(_), .. }] => path.to_str(),
            _ => None,
        }
    }

    /// Reads some bytes from `offset` on. Gives 0 at the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.length {
            return Ok(0);
        }
        let Some(segment) = self.segment(offset) else { return Ok(0) };
        let from = offset - segment.start;
        match &segment.bytes {
            Bytes::File(file) => {
                let left =
                    usize::try_from(segment.length.saturating_sub(from)).unwrap_or(usize::MAX);
                let end = left.min(buffer.len());
                match file.read_at(buffer.get_mut(..end).unwrap_or_default(), from)? {
                    0 if end > 0 => Err(missing(&segment.path, "is cut short")),
                    count => Ok(count),
                }
            }
            Bytes::Far(far) => far.read_at(buffer, from),
            Bytes::Gone => Err(missing(&segment.path, "is missing")),
        }
    }
}

fn missing(path: &Path, what: &str) -> io::Error {
    io::Error::other(format!("{} {what}", path.display()))
}

/// The file and its size in bytes.
fn open_file(path: &Path) -> io::Result<(File, u64)> {
    // Opening a FIFO must not wait for a writer.
    let file = File::options().read(true).custom_flags(NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok((file, metadata.len()))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The parts' common name, and all parts that the bundle at `path` should have, in order. `None`
/// if it is one file.
fn wanted(path: &Path) -> Result<Option<(PathBuf, Vec<PathBuf>)>, StorageError> {
    let part = parse_part(path);
    if part.is_none() && path.exists() {
        return Ok(None);
    }
    let bundle = part.map_or_else(|| path.to_owned(), |(bundle, ..)| bundle);
    let parts = parts(&bundle).map_err(|source| StorageError::unopened(path, source))?;
    let Some((_, _, count)) = parts.first().cloned() else { return Ok(None) };
    if parts.iter().any(|(_, _, other)| *other != count) {
        let parts = parts.iter().map(|(path, ..)| name_of(path)).collect();
        return Err(StorageError::Mixed { bundle, parts });
    }
    let wanted = (1..=count).map(|number| part_name(&bundle, number, count)).collect();
    Ok(Some((bundle, wanted)))
}

/// Fills `buffer` with the bytes from `offset` on, by as many reads as that takes.
pub(super) fn read_exact_at(
    mut buffer: &mut [u8],
    mut offset: u64,
    read_at: impl Fn(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<()> {
    while !buffer.is_empty() {
        match read_at(buffer, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                buffer = buffer.get_mut(count..).unwrap_or_default();
                offset += count as u64;
            }
        }
    }
    Ok(())
}

/// Finds a part that was not copied completely.
fn check_sizes(segments: &[Segment]) -> Result<(), StorageError> {
    let Some(longest) = segments.iter().max_by_key(|segment| segment.length) else {
        return Ok(());
    };
    let (_, all_but_last) = segments.split_last().unwrap_or((longest, &[]));
    match all_but_last.iter().find(|segment| segment.length < longest.length) {
        Some(short) => Err(StorageError::Short {
            part: short.path.clone(),
            length: short.length,
            other: longest.path.clone(),
            other_length: longest.length,
        }),
        None => Ok(()),
    }
}

/// The parts of `bundle` in its folder, in order. Fails if the folder cannot be read,
/// because then nobody knows whether there are parts.
pub fn parts(bundle: &Path) -> io::Result<Vec<(PathBuf, usize, usize)>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder_of(bundle)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let path = bundle.with_file_name(entry?.file_name());
        if let Some((of, number, count)) = parse_part(&path)
            && of == bundle
        {
            found.push((path, number, count));
        }
    }
    found.sort_by_key(|(_, number, count)| (*count, *number));
    Ok(found)
}
