//! Paths that every file system accepts, for the files of an extracted bundle.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use crate::problems::Problems;
use crate::text::{brief, serde_as_text};

/// The longest name of a file or a folder that every file system accepts.
const MAX_NAME: usize = 255;
/// The longest path. It is short enough to put the path of a folder before it.
const MAX_PATH: usize = 1024;
/// The most names in a path. Our own paths have four. An image's path has as many as
/// the image's name.
const MAX_DEPTH: usize = 32;

/// A relative path that cannot lead out of the folder to which a file is extracted,
/// and that every file system accepts, even a USB stick's FAT. Its names are visible
/// ASCII.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortablePath(String);

/// A text that is not such a path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a file is named {}, which {reason}", quoted(text))]
pub struct PathError {
    text: String,
    reason: &'static str,
}

impl FromStr for PortablePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        match unfit(text) {
            Some(reason) => Err(PathError::new(text, reason)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

serde_as_text!(PortablePath);

impl PathError {
    pub(crate) fn new(text: &str, reason: &'static str) -> Self {
        Self { text: brief(text), reason }
    }
}

impl Deref for PortablePath {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PortablePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PortablePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<std::path::Path> for PortablePath {
    fn as_ref(&self) -> &std::path::Path {
        self.0.as_ref()
    }
}

fn quoted(text: &str) -> String {
    format!("`{}`", brief(text))
}

/// Why a text is not such a path.
fn unfit(text: &str) -> Option<&'static str> {
    if text.len() > MAX_PATH || text.split('/').nth(MAX_DEPTH).is_some() {
        return Some("is longer or deeper than any file of a bundle");
    }
    text.split('/').find_map(unfit_name)
}

fn unfit_name(name: &str) -> Option<&'static str> {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let numbered = |device: &str| {
        stem.strip_prefix(device).is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']))
    };
    match name {
        "" => Some("has an empty name in it"),
        "." | ".." => Some("leads elsewhere"),
        _ if name.len() > MAX_NAME => Some("has a name in it that is too long for a file system"),
        _ if name.contains(|c: char| !(' '..='~').contains(&c) || "\\:*?\"<>|".contains(c)) => {
            Some("has a character in it that not every file system takes")
        }
        _ if name.starts_with(' ') || name.ends_with([' ', '.']) => {
            Some("begins or ends a name with a space or a dot that not every file system keeps")
        }
        _ if matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
            || numbered("com")
            || numbered("lpt") =>
        {
            Some("has the name of a device in it, which a FAT file system refuses")
        }
        _ => None,
    }
}

/// Reports paths that cannot be extracted into one folder, because two are the same
/// or one is the folder of another. `key` gives the form in which a file system
/// compares names. The time grows with the paths' length only, because a path's depth
/// is limited.
pub(crate) fn clashes<'a>(
    paths: impl IntoIterator<Item = &'a str>,
    key: impl Fn(&str) -> String,
    problems: &mut Problems,
) {
    let mut known: HashMap<String, &str> = HashMap::new();
    for path in paths {
        match known.insert(key(path), path) {
            Some(other) if other == path => {
                problems.add(|| format!("two files are named {}", quoted(path)));
            }
            Some(other) => problems.add(|| {
                format!("two files are named alike: {} and {}", quoted(other), quoted(path))
            }),
            None => {}
        }
    }
    let mut told = HashSet::new();
    let mut sorted: Vec<_> = known.iter().collect();
    sorted.sort();
    for (key, path) in sorted {
        for (place, _) in key.match_indices('/').take(MAX_DEPTH) {
            let folder = key.get(..place).unwrap_or_default();
            if let Some(file) = known.get(folder)
                && told.insert(folder)
            {
                let (file, path) = (quoted(file), quoted(path));
                problems.add(|| format!("{file} is a file, and the folder of {path} too"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(titles: &[&str]) -> Vec<String> {
        let mut problems = Problems::default();
        clashes(titles.iter().copied(), str::to_ascii_lowercase, &mut problems);
        problems.lines()
    }

    #[test]
    fn each_path_can_be_extracted_beside_the_others() {
        assert_eq!(found(&["a/b", "a/c", "ab", "a-", "B"]), [] as [String; 0]);
        for (titles, words) in [
            (vec!["a", "a"], "two files are named `a`"),
            (vec!["A/b", "a/B"], "alike: `A/b` and `a/B`"),
            (vec!["a/b/c", "a-", "a/b"], "`a/b` is a file, and the folder of `a/b/c`"),
            (vec!["a/b/c", "A/B"], "the folder of"),
        ] {
            let found = found(&titles);
            assert!(found.len() == 1 && found[0].contains(words), "{titles:?}: {found:?}");
        }
    }

    #[test]
    fn what_no_file_system_takes_is_no_path() {
        let long = "x".repeat(256);
        let deep = ["a"; 33].join("/");
        let longer = [&"x".repeat(250)[..]; 5].join("/");
        for text in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "a/..",
            "../a",
            "a/./b",
            "a\\b",
            "a\u{1b}[2J",
            "a\nb",
            "a\0",
            "é",
            "a\u{301}",
            "a:b",
            "a ",
            " a",
            "a./b",
            "...",
            "con",
            "CON.yaml",
            "manifests/aux.yaml",
            "x/lpt1",
            "com9.tar.gz",
            &long,
            &deep,
            &longer,
        ] {
            let error = text.parse::<PortablePath>().unwrap_err().to_string();
            assert!(!error.contains(|c: char| c.is_control()) && error.len() < 500, "{error}");
        }
        for text in [
            "manifests/calico.yaml",
            "rpms/el9-x86_64/libstdc++-11.4.1-2.1.el9.x86_64.rpm",
            "rpms/el9-x86_64/x-1~rc1^git-1.noarch.rpm",
            "keys/el9-x86_64/_a-1.asc",
            "console/com10/.hidden",
            &long[..255],
        ] {
            assert_eq!(text.parse::<PortablePath>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_million_names_deep_is_refused_at_once() {
        let deep = "a/".repeat(3_000_000) + "a";
        assert!(deep.parse::<PortablePath>().is_err());
    }
}
