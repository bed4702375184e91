//! apk's list of packages: paragraphs whose lines begin with one letter (apk-tools'
//! `doc/apk-package.5.scd`, and its `src/package.c`).

use std::io;

use super::package::{Package, add};

/// The packages that are installed.
pub(super) fn packages(text: &str) -> io::Result<Vec<Package>> {
    let mut packages = Vec::new();
    let mut own = Package::default();
    for line in text.lines().chain([""]) {
        if line.is_empty() {
            let package = std::mem::take(&mut own);
            if package != Package::default() {
                add(&mut packages, package)?;
            }
            continue;
        }
        let Some((letter, value)) = line.split_once(':') else { continue };
        let some = || Some(value.to_owned()).filter(|value| !value.is_empty());
        match letter {
            "P" => value.clone_into(&mut own.name),
            "V" => value.clone_into(&mut own.version),
            "A" => own.architecture = some(),
            "L" => own.licence = some(),
            "m" => own.vendor = some(),
            "o" => own.source = some(),
            // A field of lower case that old programs must not ignore has no `:`.
            _ => {}
        }
    }
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::packages;

    const INSTALLED: &str = "C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\nF:lib\n\
        R:libc.so\n\nP:busybox\nV:1.36.1-r15\nL:GPL-2.0-only\no:busybox";

    #[test]
    fn each_paragraph_is_a_package() {
        let found = packages(INSTALLED).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name.as_str(), found[0].version.as_str()), ("musl", "1.2.4-r2"));
        assert_eq!(found[1].licence.as_deref(), Some("GPL-2.0-only"));
    }

    #[test]
    fn damage_is_an_error_or_leaves_something_out() {
        for end in 0..INSTALLED.len() {
            drop(packages(&INSTALLED[..end]));
        }
        assert!(packages("V:1\n").is_err());
        assert_eq!(packages("\0\n\n::\n\n").unwrap(), []);
        assert!(packages(&"P:a\n\n".repeat(100_001)).is_err());
    }
}
