//! Which files an output may replace: only those of its own kind, and none that is read for it.
//! So a bundle, a key or a signature that somebody names by mistake is not lost.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::archive::storage::whole_name;
use crate::durable::unnamed;
use crate::output;

/// How many bytes of a file are looked at to see what it is.
const HEAD: u64 = 64 << 10;

/// A kind of file that a command writes.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name: `page`.
    pub words: &'static str,
    /// Whether a file that begins so is of this kind.
    pub begins: fn(&[u8]) -> bool,
}

/// Why nothing may be written there.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A file of another kind is there.
    #[error("{} exists, and it is no {kind}", path.display())]
    Strange {
        /// The file.
        path: PathBuf,
        /// What was to be written.
        kind: &'static str,
    },
    /// It is read for what is to be written.
    #[error("{} is read here, and the new {kind} would replace it", path.display())]
    Input {
        /// The file that is read.
        path: PathBuf,
        /// What was to be written.
        kind: &'static str,
    },
    /// Nothing can be written there.
    #[error("writing {}", path.display())]
    Place {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Refused {
    /// What helps, if the error does not say it itself.
    pub fn cure(&self) -> Option<&'static str> {
        match self {
            Self::Place { .. } => None,
            _ => Some("name another file for --output"),
        }
    }
}

/// Fails if a file of this kind may not be written to `path`, or cannot be, so that nothing is
/// read or done for it. `inputs` are the files that are read for it; of a bundle in parts, any of
/// them. What is no file, such as a pipe, is written to and not replaced, so it is not looked at.
pub fn check<'a>(
    path: &Path,
    kind: &Kind,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Refused> {
    let place = |source| Refused::Place { path: path.to_owned(), source };
    if path.as_os_str() == "-" {
        return Ok(());
    }
    let own = real(path);
    // A bundle in parts has the same name as the whole one.
    let whole = |path: Option<PathBuf>| path.map(|path| whole_name(&path));
    let is_own = |input: &&Path| own.is_some() && whole(real(input)) == whole(own.clone());
    if let Some(input) = inputs.into_iter().find(is_own) {
        return Err(Refused::Input { path: input.to_owned(), kind: kind.words });
    }
    output::check(path).map_err(place)?;
    match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(place(error)),
        Ok(found) if found.is_file() => {
            let mut head = Vec::new();
            let file = File::open(path).map_err(place)?;
            file.take(HEAD).read_to_end(&mut head).map_err(place)?;
            if !head.is_empty() && !(kind.begins)(&head) {
                return Err(Refused::Strange { path: path.to_owned(), kind: kind.words });
            }
        }
        Ok(_) => return Ok(()),
    }
    // Reading may take minutes, so whether the folder takes a file is tried first.
    unnamed(own.as_deref().unwrap_or(path), ".".as_ref(), 0o600).map(drop).map_err(place)
}

/// The real path of a file, with all links followed. If it does not exist, its folder must.
fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize()
        .ok()
        .or_else(|| Some(output::folder_of(path).canonicalize().ok()?.join(path.file_name()?)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const PAGE: Kind = Kind { words: "page", begins: |head| head.starts_with(b"<html>") };

    #[test]
    fn only_a_file_of_its_kind_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let said = |name: &str| check(&at(name), &PAGE, []).map_err(|error| error.to_string());
        fs::write(at("key"), "secret").unwrap();
        fs::write(at("page"), "<html>old").unwrap();
        fs::write(at("empty"), "").unwrap();
        symlink("key", at("link")).unwrap();
        for name in ["page", "empty", "new"] {
            assert_eq!(said(name), Ok(()), "{name}");
        }
        for name in ["key", "link"] {
            assert!(said(name).unwrap_err().ends_with("exists, and it is no page"), "{name}");
        }
        check(Path::new("/dev/null"), &PAGE, []).unwrap();
        check(Path::new("-"), &PAGE, []).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "nothing is left there");
    }

    #[test]
    fn what_is_read_is_not_replaced_by_any_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("old"), "<html>old").unwrap();
        fs::write(at("cut.part01of02"), "<html>").unwrap();
        symlink("old", at("link")).unwrap();
        let is_refused = |output: &str, input: &str| {
            matches!(check(&at(output), &PAGE, [&*at(input)]), Err(Refused::Input { .. }))
        };
        for (output, input) in
            [("old", "old"), ("link", "old"), ("old", "link"), ("cut", "cut.part01of02")]
        {
            assert!(is_refused(output, input), "{output} {input}");
        }
        assert!(!is_refused("new", "old") && !is_refused("old", "new"));
    }

    #[test]
    fn a_place_that_takes_no_file_is_told_before_anything_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let told = |path: &Path| {
            let error = check(path, &PAGE, []).unwrap_err();
            assert!(matches!(error, Refused::Place { .. }), "{error}");
            std::error::Error::source(&error).unwrap().to_string()
        };
        assert!(told(&folder.path().join("none/page")).contains("does not exist: make it first"));
        // Nobody can make a file there, not even root.
        assert!(told(Path::new("/sys/page")).contains("no file can be made in the folder /sys ("));
    }
}
