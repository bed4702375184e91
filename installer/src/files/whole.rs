//! Files that are written whole, or stay as they were.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bundle_format::durable::Unfinished;

use crate::files::attributes::Attributes;

/// The name of a file while it is being written.
pub(crate) fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".kubeferry-new");
    path.with_file_name(name)
}

/// Writes a file. Even after a power loss it has either the whole new text or the old
/// one. An existing file keeps its attributes, unless the new text is secret.
pub(crate) fn write_whole(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    copy_whole(path, &mut &text[..], mode)
}

/// The same with bytes from a reader. If the reader ends with an error, the file
/// stays as it was.
pub(crate) fn copy_whole(path: &Path, from: &mut dyn Read, mode: u32) -> io::Result<()> {
    copy_whole_as(path, from, &Attributes::for_text(path, mode)?)
}

/// The same with these attributes.
pub(crate) fn copy_whole_as(
    path: &Path,
    from: &mut dyn Read,
    attributes: &Attributes,
) -> io::Result<()> {
    let partial = partial(path);
    // Left by a power loss; or a link that somebody made in a folder that all may
    // write to.
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut unfinished = Unfinished::create(partial, 0o600)?;
    io::copy(from, unfinished.file())?;
    // Last, so that nobody else can read the file before.
    attributes.give(unfinished.file())?;
    unfinished.finish(path)?;
    // The new name is on the disk only when its folder is.
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Damaged;

    impl Read for Damaged {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    #[test]
    fn what_is_damaged_takes_no_files_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("package.rpm");
        copy_whole(&path, &mut (&b"half of it"[..]).chain(Damaged), 0o644).unwrap_err();
        assert!(!path.exists());
        write_whole(&path, b"whole", 0o644).unwrap();
        copy_whole(&path, &mut (&b"half of it"[..]).chain(Damaged), 0o644).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// What reads who may read the file that is being written.
    struct Watching<'a>(&'a Path, Vec<u32>);

    impl Read for Watching<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            use std::os::unix::fs::MetadataExt;
            self.1.push(fs::metadata(partial(self.0))?.mode() & 0o7777);
            let is_first = self.1.len() == 1;
            buffer.iter_mut().take(1).for_each(|byte| *byte = b'x');
            Ok(usize::from(is_first))
        }
    }

    #[test]
    fn nobody_else_reads_a_file_before_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fstab");
        for mode in [0o644, 0o600] {
            let mut watching = Watching(&path, Vec::new());
            copy_whole(&path, &mut watching, mode).unwrap();
            assert_eq!(watching.1, [0o600, 0o600]);
        }
    }
}
