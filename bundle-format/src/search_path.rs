//! Where programs of this host are searched, as in the variable `PATH`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// The first program of this name in the folders of `path`. Relative folders do not count. Files
/// that this process may not run do not count. If `name` is an absolute path, only that file counts.
pub fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    let mut files = std::env::split_paths(path).map(|folder| folder.join(name));
    files.find(|file| file.is_absolute() && is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.is_file() && access(file, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_the_first_file_in_the_path_that_can_be_run() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(place("one/sh")).unwrap();
        std::fs::create_dir(place("two")).unwrap();
        std::fs::write(place("two/sh"), "no program").unwrap();
        let path =
            format!("one:{}:{}:/usr/bin:/bin", place("one").display(), place("two").display());
        let found = |name: &str| find(name, path.as_ref());
        let shells = ["/usr/bin/sh", "/bin/sh"];
        assert!(shells.iter().any(|shell| found("sh") == Some(PathBuf::from(shell))));
        assert_eq!(found("/bin/sh"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(found("no-such-program"), None);
        assert_eq!(find("sh", OsStr::new("")), None);
    }
}
