//! Patterns of file names, by the rules of Go's `filepath.Glob` and of glob(7).

use std::path::{Component, Path, PathBuf};

use crate::host::Host;

/// A path without `.` and `..`.
pub(crate) fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(clean.pop()),
            part => clean.push(part),
        }
    }
    clean
}

/// The files that match, sorted.
pub(crate) fn matches(host: &Host, pattern: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::from("/")];
    for part in pattern.components().skip(1) {
        let part = part.as_os_str().to_string_lossy();
        let mut next = Vec::new();
        for folder in found {
            if !part.contains(['*', '?', '[']) {
                let path = folder.join(part.as_ref());
                next.extend(host.exists(&path).then_some(path));
                continue;
            }
            let names = host.list(&folder)?.into_iter();
            next.extend(names.filter(|name| fits(&part, name)).map(|name| folder.join(name)));
        }
        found = next;
    }
    Ok(found)
}

/// Whether a name matches. After `[`, Go writes `^` for "none of these", and glob(7)
/// `!`.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let mut rest = pattern.chars();
    let mut letters = name.chars();
    match rest.next() {
        None => name.is_empty(),
        Some('*') => {
            let after = rest.as_str();
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().any(|at| name.get(at..).is_some_and(|end| fits(after, end)))
        }
        Some('[') => {
            let Some((class, after)) = rest.as_str().split_once(']') else { return false };
            let Some(letter) = letters.next() else { return false };
            let (is_not, class) = match class.strip_prefix(['^', '!']) {
                Some(class) => (true, class),
                None => (false, class),
            };
            is_in(class, letter) != is_not && fits(after, letters.as_str())
        }
        Some('?') => letters.next().is_some() && fits(rest.as_str(), letters.as_str()),
        Some(first) => letters.next() == Some(first) && fits(rest.as_str(), letters.as_str()),
    }
}

/// Whether a letter is in a class such as `a-z_`.
fn is_in(class: &str, letter: char) -> bool {
    let letters: Vec<char> = class.chars().collect();
    let mut left = letters.as_slice();
    while let [first, rest @ ..] = left {
        if let ['-', last, after @ ..] = rest {
            if (*first..=*last).contains(&letter) {
                return true;
            }
            left = after;
        } else if *first == letter {
            return true;
        } else {
            left = rest;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_go_and_of_glob() {
        for (pattern, name, is) in [
            ("*.toml", "a.toml", true),
            ("*.toml", ".toml", true),
            ("*.toml", "a.toml.bak", false),
            ("[0-9]*.toml", "10-a.toml", true),
            ("[^0-9]*", "10-a.toml", false),
            ("[!0-9]*", "10-a.toml", false),
            ("[!0-9]*", "a.toml", true),
            ("[a-z]th?", "eth0", true),
            ("[a-z]th?", "0th0", false),
            ("[a-z", "[a-z", false),
            ("a?c*", "abc", true),
            ("a?c*", "ac", false),
        ] {
            assert_eq!(fits(pattern, name), is, "{pattern} {name}");
        }
        assert_eq!(cleaned(Path::new("/etc/containerd/../a/./b")), Path::new("/etc/a/b"));
    }
}
