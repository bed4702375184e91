//! Files that are there in full, or as they were before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// What a file is called until it is written in full.
pub(crate) fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".kubeferry-new");
    path.with_file_name(name)
}

/// Writes a file so that it is there in full or as it was before, also after
/// the power was lost.
pub(crate) fn write_whole(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    copy_whole(path, &mut &text[..], mode)
}

/// Does so with what a reader gives, of which nothing gets the file's name where
/// the reader ends with an error.
pub(crate) fn copy_whole(path: &Path, from: &mut dyn Read, mode: u32) -> io::Result<()> {
    let partial = partial(path);
    // What a lost power left; or, in a folder that all may write to, a link of
    // somebody who wants to read along.
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&partial)?;
    let owner = fs::metadata(path).ok().filter(|_| mode & 0o077 != 0);
    if let Some(owner) = owner {
        // A file for one's own eyes becomes ours.
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    io::copy(from, &mut file)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    // The name is as durable as the folder that has it.
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
    }
}
