//! All files of a folder: a chart, or a Kustomization. Other programs get a copy of it,
//! so that they see nothing else of this host.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bundle_format::{Digest, input};

/// The most files that a folder may have. The largest charts have some hundred.
const MOST_FILES: usize = 10_000;
/// The most bytes in all of them.
const MOST_BYTES: u64 = 64 << 20;

/// The files of a folder, by their paths in it.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    files: BTreeMap<String, Vec<u8>>,
    bytes: u64,
}

impl Folder {
    /// Reads all files below `path`, except those of git's own folder. A link that leads
    /// out of the folder is refused: the folder may be a stranger's, and the file be
    /// one that he must not get.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let root = path.canonicalize()?;
        let mut folder = Self::default();
        folder.add(&root, &root, "")?;
        Ok(folder)
    }

    fn add(&mut self, root: &Path, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                return refused(&entry.path(), "its name is not UTF-8: give it another");
            };
            let (path, own) = (entry.path(), format!("{prefix}{name}"));
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if name != ".git" {
                    self.add(root, &path, &format!("{own}/"))?;
                }
                continue;
            }
            let real = path.canonicalize()?;
            if kind.is_symlink() && !(real.starts_with(root) && real.is_file()) {
                return refused(
                    &path,
                    "it is a link that does not lead to a file in this folder: put the file there",
                );
            }
            self.put(own, &path)?;
        }
        Ok(())
    }

    fn put(&mut self, name: String, path: &Path) -> io::Result<()> {
        let bytes = input::file(path, MOST_BYTES - self.bytes).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        self.bytes += bytes.len() as u64;
        self.files.insert(name, bytes);
        match self.files.len() > MOST_FILES {
            true => refused(path, "the folder has more than 10000 files: name a smaller one"),
            false => Ok(()),
        }
    }

    /// The digest of all names and bytes.
    pub(crate) fn digest(&self) -> Digest {
        let lines =
            self.files.iter().map(|(name, bytes)| format!("{} {name}\n", Digest::of(bytes)));
        Digest::of(lines.collect::<String>().as_bytes())
    }

    /// Writes a copy to the folder `to`, which is made.
    pub(super) fn write(&self, to: &Path) -> io::Result<PathBuf> {
        fs::create_dir(to)?;
        for (name, bytes) in &self.files {
            let path = to.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, bytes)?;
        }
        Ok(to.to_owned())
    }
}

fn refused<T>(path: &Path, why: &str) -> io::Result<T> {
    Err(io::Error::other(format!("{}: {why}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_folder_is_its_names_and_bytes() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("chart");
        fs::create_dir_all(root.join("templates/.git")).unwrap();
        fs::write(root.join("Chart.yaml"), "a").unwrap();
        fs::write(root.join("templates/a.yaml"), "b").unwrap();
        let first = Folder::read(&root).unwrap();
        fs::write(root.join("templates/.git/x"), "c").unwrap();
        assert_eq!(Folder::read(&root).unwrap().digest(), first.digest());
        symlink("a.yaml", root.join("templates/b.yaml")).unwrap();
        let second = Folder::read(&root).unwrap();
        assert_ne!(second.digest(), first.digest());
        let copy = second.write(&outer.path().join("copy")).unwrap();
        assert_eq!(Folder::read(&copy).unwrap().digest(), second.digest());

        fs::write(outer.path().join("secret"), "s").unwrap();
        for lead in ["../secret", "templates", "nowhere"] {
            symlink(lead, root.join("link")).unwrap();
            assert!(Folder::read(&root).is_err(), "{lead}");
            fs::remove_file(root.join("link")).unwrap();
        }
    }
}
