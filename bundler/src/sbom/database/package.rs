//! A package that is installed in an image.

use std::io;

use serde::{Deserialize, Serialize};

/// The most packages of a database.
const MAX_PACKAGES: usize = 100_000;
/// The longest text of a package, in bytes. Licences of packages are the longest.
const MAX_TEXT: usize = 4096;

/// A package that an image has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its version, as its own system writes it; empty if it has none.
    pub(crate) version: String,
    /// Its architecture, if it is made for one.
    pub(crate) architecture: Option<String>,
    /// Its licence, in its maker's words.
    pub(crate) licence: Option<String>,
    /// Who made it.
    pub(crate) vendor: Option<String>,
    /// The source package: its name, or the name of its file.
    pub(crate) source: Option<String>,
}

impl Package {
    /// Its texts.
    fn texts(&self) -> impl Iterator<Item = &String> {
        let Self { name, version, architecture, licence, vendor, source } = self;
        let others = [architecture, licence, vendor, source].into_iter().flatten();
        [name, version].into_iter().chain(others)
    }

    /// Its size in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.texts().map(String::len).sum::<usize>()
    }
}

/// Adds a package, unless it makes no sense or there are too many.
pub(super) fn add(packages: &mut Vec<Package>, package: Package) -> io::Result<()> {
    if packages.len() >= MAX_PACKAGES {
        return Err(io::Error::other(format!("it has more than {MAX_PACKAGES} packages")));
    }
    if let Some(text) = package.texts().find(|text| text.len() > MAX_TEXT) {
        return Err(io::Error::other(format!("a text of a package has {} bytes", text.len())));
    }
    if package.name.is_empty() {
        return Err(io::Error::other("a package has no name"));
    }
    packages.push(package);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_and_what_is_too_much_is_an_error() {
        let one = Package { name: "a".to_owned(), ..Package::default() };
        assert!(add(&mut Vec::new(), one.clone()).is_ok());
        let mut packages = vec![Package::default(); MAX_PACKAGES];
        assert!(add(&mut packages, one.clone()).is_err());
        let long = Package { licence: Some("a".repeat(MAX_TEXT + 1)), ..one };
        assert!(add(&mut Vec::new(), long).is_err());
        assert!(add(&mut Vec::new(), Package::default()).is_err());
    }
}
