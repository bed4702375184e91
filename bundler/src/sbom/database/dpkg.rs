//! dpkg's list of packages: paragraphs of fields (deb-control(5); dpkg-query(1) for
//! `Status`). It has no licences.

use std::io;

use super::package::{Package, add};

/// The packages that are installed.
pub(super) fn packages(text: &str) -> io::Result<Vec<Package>> {
    let mut packages = Vec::new();
    let mut own = Paragraph::default();
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() {
            if let Some(package) = std::mem::take(&mut own).package() {
                add(&mut packages, package)?;
            }
        } else if !line.starts_with([' ', '\t'])
            && let Some((field, value)) = line.split_once(':')
        {
            own.set(field, value.trim());
        }
    }
    Ok(packages)
}

/// The fields of a package.
#[derive(Default)]
struct Paragraph<'a> {
    name: Option<&'a str>,
    version: Option<&'a str>,
    architecture: Option<&'a str>,
    maintainer: Option<&'a str>,
    source: Option<&'a str>,
    status: Option<&'a str>,
}

impl<'a> Paragraph<'a> {
    fn set(&mut self, field: &str, value: &'a str) {
        let own = match field.to_ascii_lowercase().as_str() {
            "package" => &mut self.name,
            "version" => &mut self.version,
            "architecture" => &mut self.architecture,
            "maintainer" => &mut self.maintainer,
            "source" => &mut self.source,
            "status" => &mut self.status,
            _ => return,
        };
        *own = Some(value).filter(|value| !value.is_empty());
    }

    /// The package, if its files are there. The files of distroless images have no status.
    fn package(self) -> Option<Package> {
        let is_there = self.status.is_none_or(|status| {
            // The last word: `install ok installed`. After a removal that kept the
            // configuration, it is `config-files`.
            let last = status.split_ascii_whitespace().next_back();
            !matches!(last, Some("not-installed" | "config-files" | "half-installed"))
        });
        let name = self.name.filter(|_| is_there)?;
        Some(Package {
            name: name.to_owned(),
            version: self.version.unwrap_or_default().to_owned(),
            architecture: self.architecture.map(str::to_owned),
            licence: None,
            vendor: self.maintainer.map(str::to_owned),
            source: self.source.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::packages;

    const STATUS: &str = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\n\
        Source: glibc (2.36-9)\nVersion: 2.36-9+deb12u4\nDescription: x\n Package: no\n .\n\n\
        Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\n\
        package: tzdata\nversion: 2024a";

    #[test]
    fn packages_that_are_installed_are_listed() {
        let found = packages(STATUS).unwrap();
        let names: Vec<_> =
            found.iter().map(|one| (one.name.as_str(), one.version.as_str())).collect();
        assert_eq!(names, [("libc6", "2.36-9+deb12u4"), ("tzdata", "2024a")]);
        assert_eq!(found[0].source.as_deref(), Some("glibc (2.36-9)"));
    }

    #[test]
    fn no_text_is_too_strange() {
        for end in 0..STATUS.len() {
            packages(&STATUS[..end]).unwrap();
        }
        assert_eq!(packages("\0\n:\n: :\n \n\u{fffd}:x").unwrap(), []);
        assert!(packages(&"Package: a\n\n".repeat(100_001)).is_err());
    }
}
