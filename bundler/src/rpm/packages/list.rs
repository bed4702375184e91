//! The packages of a repository, by their places.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use bundle_format::{Evr, Nevra};
use url::Url;

use super::columns::{Column, Columns};
use super::record::{Item, Record, hollow};
use crate::rpm::package::Package;

/// The packages of a repository, sorted by name and version. Their names are there, and
/// the rest is decoded when it is asked for.
#[derive(Debug)]
pub struct Packages {
    columns: Columns,
    base: Url,
    nevras: Vec<Nevra>,
    decoded: Vec<OnceLock<Box<Package>>>,
    listed: Listed,
}

/// What `filelists.xml` says of packages, instead of the files that `primary.xml` lists.
#[derive(Debug, Default)]
struct Listed {
    files: HashMap<u32, Vec<String>>,
    packages: HashMap<String, Vec<u32>>,
}

impl Packages {
    /// No packages, of the repository at `base`.
    pub(in crate::rpm) fn none(base: Url) -> Self {
        Self::of(Columns::default(), Vec::new(), base)
    }

    /// Packages with these names, of the repository at `base`.
    pub(super) fn of(columns: Columns, nevras: Vec<Nevra>, base: Url) -> Self {
        let decoded = nevras.iter().map(|_| OnceLock::new()).collect();
        Self { columns, base, nevras, decoded, listed: Listed::default() }
    }

    /// The packages that [`Self::bytes`] gave. `None` if the bytes are not theirs.
    pub(super) fn open(bytes: Vec<u8>, base: Url) -> Option<Self> {
        let columns = Columns::open(bytes)?;
        let count = columns.count::<7>(Column::Heads);
        let nevras = (0..count).map(|place| nevra(&columns, place)).collect::<Option<_>>()?;
        Some(Self::of(columns, nevras, base))
    }

    /// The compact form.
    pub(super) fn bytes(&self) -> &[u8] {
        self.columns.bytes()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nevras.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nevras.is_empty()
    }

    /// The names of all of them, in order.
    pub fn nevras(&self) -> &[Nevra] {
        &self.nevras
    }

    /// All packages, which stay decoded.
    pub fn iter(&self) -> impl Iterator<Item = &Package> {
        (0..self.len()).map(|place| &self[place])
    }

    /// All packages, each decoded only for as long as it is used.
    pub(in crate::rpm) fn each(&self) -> impl Iterator<Item = Package> {
        (0..self.len()).filter_map(|place| self.decode(place))
    }

    /// The places of the packages with this name.
    pub(in crate::rpm) fn named(&self, name: &str) -> Range<usize> {
        let start = self.nevras.partition_point(|nevra| nevra.name.as_str() < name);
        let rest = self.nevras.get(start..).unwrap_or_default();
        start..start + rest.iter().take_while(|nevra| nevra.name == name).count()
    }

    /// The places of the packages that provide something of this name, in any version.
    pub(in crate::rpm) fn providing(&self, name: &str) -> impl Iterator<Item = usize> {
        self.columns.found(Column::Provided, name).map(|place| place as usize)
    }

    /// The places of the packages that obsolete something of this name.
    pub(in crate::rpm) fn obsoleting(&self, name: &str) -> impl Iterator<Item = usize> {
        self.columns.found(Column::Obsoleted, name).map(|place| place as usize)
    }

    /// The places of the packages that are known to have this file.
    pub(in crate::rpm) fn having(&self, file: &str) -> impl Iterator<Item = usize> {
        let listed = self.listed.packages.get(file).into_iter().flatten().copied();
        let short = self.columns.found(Column::Files, file);
        let short = short.filter(|place| !self.listed.files.contains_key(place));
        short.chain(listed).map(|place| place as usize)
    }

    /// The names of what a package provides.
    pub(in crate::rpm) fn provided_by(&self, place: usize) -> impl Iterator<Item = &str> {
        let record = self.record(place);
        // It is the first part of a record.
        let items = record.and_then(|bytes| postcard::take_from_bytes::<Vec<Item>>(bytes).ok());
        let items = items.map(|(items, _)| items).unwrap_or_default();
        items.into_iter().filter_map(|item| self.columns.text(item.name))
    }

    /// Replaces the files of each package by those that `files` has for its checksum.
    pub(in crate::rpm) fn list_files(&mut self, files: HashMap<String, Vec<String>>) {
        let mut files = files;
        for place in 0..self.len() {
            let record = self.record(place).and_then(|bytes| postcard::from_bytes(bytes).ok());
            let checksum =
                record.and_then(|record: Record| record.checksum.checksum(&self.columns));
            let Some(own) = checksum.and_then(|checksum| files.remove(checksum.hex())) else {
                continue;
            };
            let Ok(number) = u32::try_from(place) else { continue };
            for file in &own {
                self.listed.packages.entry(file.clone()).or_default().push(number);
            }
            self.listed.files.insert(number, own);
            self.decoded.get_mut(place).into_iter().for_each(|decoded| *decoded = OnceLock::new());
        }
    }

    fn record(&self, place: usize) -> Option<&[u8]> {
        let [.., start, end] = self.columns.numbers::<7>(Column::Heads, place)?;
        self.columns.column(Column::Records).get(start as usize..end as usize)
    }

    fn decode(&self, place: usize) -> Option<Package> {
        let record: Record = postcard::from_bytes(self.record(place)?).ok()?;
        let mut package = record.package(self.nevras.get(place)?, &self.base, &self.columns)?;
        if let Some(files) = self.listed.files.get(&u32::try_from(place).ok()?) {
            package.files.clone_from(files);
        }
        Some(package)
    }
}

impl std::ops::Index<usize> for Packages {
    type Output = Package;

    /// The package at this place, which must be there. It stays decoded.
    fn index(&self, place: usize) -> &Package {
        let nevra = &self.nevras[place];
        let decode = || Box::new(self.decode(place).unwrap_or_else(|| hollow(nevra, &self.base)));
        self.decoded[place].get_or_init(decode)
    }
}

impl<'a> IntoIterator for &'a Packages {
    type Item = &'a Package;
    type IntoIter = Box<dyn Iterator<Item = &'a Package> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

/// The name of the package at this place, if its parts are what a package may have.
fn nevra(columns: &Columns, place: usize) -> Option<Nevra> {
    let [name, epoch, version, release, arch, ..] = columns.numbers::<7>(Column::Heads, place)?;
    let text = |number| columns.text(number).map(str::to_owned);
    let evr = Evr { epoch, version: text(version)?, release: text(release)? };
    Nevra::new(text(name)?, evr, text(arch)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::checksum::Checksum;
    use crate::rpm::dependency::{Capability, Dependency};
    use crate::rpm::package::Weak;
    use crate::rpm::packages::builder::Builder;

    fn base() -> Url {
        "https://example.com/os/".parse().unwrap()
    }

    fn package(name: &str, version: &str) -> Package {
        let dependency = |text: &str| Dependency::parse(text).unwrap();
        Package {
            nevra: format!("{name}-{version}-1.noarch").parse().unwrap(),
            source: base().join(&format!("{name}-{version}.rpm")).unwrap(),
            size: 1,
            checksum: Checksum::parse("sha256", &version.repeat(64)).unwrap(),
            provides: vec![Capability::any(name), Capability::any("both")],
            requires: vec![dependency("(a or b)"), dependency("c >= 1:2-3")],
            conflicts: vec![dependency("d")],
            obsoletes: vec![Capability::any("old")],
            weak: Weak { suggests: vec![dependency("e")], ..Weak::default() },
            files: vec![format!("/usr/bin/{name}")],
        }
    }

    fn packages() -> Packages {
        let base = base();
        let mut builder = Builder::new(&base);
        for (name, version) in [("b", "1"), ("a", "2"), ("a", "1")] {
            builder.add(package(name, version)).unwrap();
        }
        builder.finish().unwrap()
    }

    #[test]
    fn packages_are_sorted_and_found_by_what_they_have() {
        let packages = packages();
        let shown: Vec<String> = packages.nevras().iter().map(Nevra::to_string).collect();
        assert_eq!(shown, ["a-1-1.noarch", "a-2-1.noarch", "b-1-1.noarch"]);
        let all = |found: &mut dyn Iterator<Item = usize>| found.collect::<Vec<_>>();
        assert_eq!(all(&mut packages.named("a")), [0, 1]);
        assert_eq!(all(&mut packages.named("aa")), [] as [usize; 0]);
        assert_eq!(all(&mut packages.providing("both")), [0, 1, 2]);
        assert_eq!(all(&mut packages.providing("a")), [0, 1]);
        assert_eq!(all(&mut packages.obsoleting("old")), [0, 1, 2]);
        assert_eq!(all(&mut packages.having("/usr/bin/b")), [2]);
        assert_eq!(packages.provided_by(2).collect::<Vec<_>>(), ["b", "both"]);
        for (found, wanted) in packages.iter().zip([("a", "1"), ("a", "2"), ("b", "1")]) {
            assert_eq!(format!("{found:?}"), format!("{:?}", package(wanted.0, wanted.1)));
        }
    }

    #[test]
    fn whole_lists_of_files_replace_short_ones() {
        let mut packages = packages();
        assert_eq!(packages[0].files, ["/usr/bin/a"]);
        packages.list_files([("1".repeat(64), vec!["/usr/share/a".to_owned()])].into());
        // One of two packages with this checksum: the first.
        assert_eq!(packages[0].files, ["/usr/share/a"]);
        assert_eq!(packages.having("/usr/share/a").collect::<Vec<_>>(), [0]);
        assert_eq!(packages.having("/usr/bin/a").collect::<Vec<_>>(), [1]);
        let listed = packages.each().flat_map(|package| package.files);
        assert_eq!(listed.collect::<Vec<_>>(), ["/usr/share/a", "/usr/bin/a", "/usr/bin/b"]);
    }

    /// A file in the cache could have been written by anybody, with the right checksum.
    #[test]
    fn whatever_the_bytes_are_packages_are_read_or_not() {
        let bytes = packages().bytes().to_vec();
        assert_eq!(Packages::open(bytes.clone(), base()).unwrap().len(), 3);
        let mut read = 0;
        for (place, other) in (0..bytes.len()).flat_map(|place| [(place, 0xff), (place, 0x01)]) {
            let mut bytes = bytes.clone();
            bytes[place] ^= other;
            let Some(packages) = Packages::open(bytes, base()) else { continue };
            read += packages.iter().map(|package| package.requires.len()).sum::<usize>();
            let found = ["both", "", "zzz"].map(|name| packages.providing(name).count());
            read += found.iter().sum::<usize>() + packages.each().count();
            read +=
                (0..packages.len()).map(|place| packages.provided_by(place).count()).sum::<usize>();
        }
        assert!(read > 0);
    }

    /// If the form changes, `VERSION` in `kept.rs` must become another one.
    #[test]
    fn the_form_is_that_of_this_version() {
        let digest = bundle_format::Digest::of(packages().bytes()).hex();
        assert_eq!(digest, "c203276311151d947d8026054576ecdfb6c89617866fb627364ef9cebac5b4a1");
    }
}
