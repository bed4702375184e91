//! `primary.xml` and `filelists.xml`: the packages of a repository.

use std::collections::HashMap;
use std::io::BufReader;

use bundle_format::{Evr, Nevra};
use rpmrepo_metadata::visitor::{
    FilelistsVisitor, PrimaryVisitor, RequirementData, parse_filelists, parse_primary,
};
use rpmrepo_metadata::{FileType, RequirementType, utils};
use url::Url;

use super::compression::decompress;
use super::dependency::{Capability, Comparison, Dependency, Range};
use super::package::{Package, Weak};
use super::packages::{Builder, Packages, TooLarge};
use super::{location, xml};
use crate::fetch::checksum::Checksum;

/// Why metadata cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// The compressed data is damaged or too large.
    #[error("cannot decompress it")]
    Decompress(#[from] std::io::Error),
    /// It is not XML of this kind.
    #[error("it is not yum metadata: {0}")]
    Xml(String),
    /// It would need more memory than any real metadata.
    #[error("it holds more than any real metadata of its size")]
    Memory,
    /// An entry is wrong.
    #[error("package `{package}`: {problem}")]
    Package {
        /// Its name.
        package: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads the packages of a `primary.xml`, compressed or not, of at most `limit` bytes
/// when decompressed. Their paths are relative to `base`.
pub fn read_primary(bytes: &[u8], limit: u64, base: &Url) -> Result<Packages, MetadataError> {
    let mut visitor = Primary {
        base,
        packages: Builder::new(base),
        entry: Entry::default(),
        memory: Memory::for_metadata(bytes),
        problem: None,
    };
    xml::check(BufReader::new(decompress(bytes, limit)?)).map_err(MetadataError::Xml)?;
    let reader = BufReader::new(decompress(bytes, limit)?);
    let mut reader = utils::create_xml_reader(reader);
    parse_primary(&mut reader, &mut visitor)
        .map_err(|error| MetadataError::Xml(error.to_string()))?;
    match visitor.problem {
        Some(problem) => Err(problem),
        None => visitor.packages.finish().map_err(|TooLarge| MetadataError::Memory),
    }
}

/// Reads the files of each package from a `filelists.xml`, by package checksum. Keeps
/// only the `wanted` files, because all files of a distribution need gigabytes.
pub fn read_filelists(
    bytes: &[u8],
    limit: u64,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<HashMap<String, Vec<String>>, MetadataError> {
    let memory = Memory::for_metadata(bytes);
    let mut visitor = Filelists { wanted, files: HashMap::new(), current: None, memory };
    xml::check(BufReader::new(decompress(bytes, limit)?)).map_err(MetadataError::Xml)?;
    let reader = BufReader::new(decompress(bytes, limit)?);
    let mut reader = utils::create_xml_reader(reader);
    parse_filelists(&mut reader, &mut visitor)
        .map_err(|error| MetadataError::Xml(error.to_string()))?;
    match visitor.memory.is_spent() {
        true => Err(MetadataError::Memory),
        false => Ok(visitor.files),
    }
}

/// The memory that is left for what is read. Metadata can be small and stand for
/// much, and each entry needs more memory than its text.
struct Memory {
    left: u64,
    taken: bool,
}

impl Memory {
    /// Enough memory for any real metadata whose file has these bytes: it needs
    /// some twenty times the size of its gzip.
    fn for_metadata(bytes: &[u8]) -> Self {
        Self { left: (160 << 20) + 48 * bytes.len() as u64, taken: true }
    }

    /// Takes memory for `bytes` and what goes with them. False if there is not
    /// enough.
    fn take(&mut self, bytes: usize) -> bool {
        const OVERHEAD: u64 = 120;
        match self.left.checked_sub(OVERHEAD + bytes as u64) {
            Some(left) => self.left = left,
            None => self.taken = false,
        }
        self.taken
    }

    fn is_spent(&self) -> bool {
        !self.taken
    }
}

/// What has been read of the current entry.
#[derive(Default)]
struct Entry {
    name: String,
    arch: String,
    checksum: (String, String),
    evr: Option<Evr>,
    size: u64,
    location: (String, Option<String>),
    provides: Vec<Capability>,
    requires: Vec<Dependency>,
    conflicts: Vec<Dependency>,
    obsoletes: Vec<Capability>,
    weak: Weak,
    files: Vec<String>,
}

struct Primary<'a> {
    base: &'a Url,
    packages: Builder<'a>,
    entry: Entry,
    memory: Memory,
    problem: Option<MetadataError>,
}

impl Primary<'_> {
    /// Whether there is memory for a relation.
    fn has_room(&mut self, data: &RequirementData<'_>) -> bool {
        let words = [Some(data.name), data.version, data.release];
        // A boolean expression needs a node for each of its words.
        let parts = 1 + data.name.len() / 8 * usize::from(data.name.starts_with('('));
        let bytes = words.into_iter().flatten().map(str::len).sum::<usize>() + parts * 100;
        self.room_for(bytes)
    }

    fn room_for(&mut self, bytes: usize) -> bool {
        let has_room = self.memory.take(bytes);
        if !has_room {
            self.problem.get_or_insert(MetadataError::Memory);
            self.packages = Builder::new(self.base);
        }
        has_room
    }

    fn dependency(&mut self, data: &RequirementData<'_>) -> Option<Dependency> {
        if !self.has_room(data) {
            return None;
        }
        dependency(data).map_err(|problem| self.report(problem)).ok()
    }

    fn capability(&mut self, data: &RequirementData<'_>) -> Option<Capability> {
        if !self.has_room(data) {
            return None;
        }
        capability(data).map_err(|problem| self.report(problem)).ok()
    }

    /// A weak dependency. If it is wrong, it is ignored: nothing is missing
    /// without it.
    fn weak(&mut self, data: &RequirementData<'_>) -> Option<Dependency> {
        if self.has_room(data) { dependency(data).ok() } else { None }
    }

    fn report(&mut self, problem: String) {
        let package = self.entry.name.clone();
        self.problem.get_or_insert(MetadataError::Package { package, problem });
    }

    fn finish(&mut self, entry: Entry) -> Result<Package, String> {
        let evr = entry.evr.ok_or("it has no version")?;
        let nevra = Nevra::new(entry.name, evr, entry.arch).map_err(|error| error.to_string())?;
        let checksum = Checksum::parse(&entry.checksum.0, &entry.checksum.1)
            .map_err(|error| error.to_string())?;
        let (href, base) = &entry.location;
        let base = match base {
            Some(base) => location::other_base(self.base, base)?,
            None => self.base.clone(),
        };
        let source = location::file(&base, href)?;
        Ok(Package {
            nevra,
            source,
            size: entry.size,
            checksum,
            provides: entry.provides,
            requires: entry.requires,
            conflicts: entry.conflicts,
            obsoletes: entry.obsoletes,
            weak: entry.weak,
            files: entry.files,
        })
    }
}

fn dependency(data: &RequirementData<'_>) -> Result<Dependency, String> {
    if data.name.starts_with('(') {
        Dependency::parse(data.name).map_err(|error| error.to_string())
    } else {
        capability(data).map(Dependency::Capability)
    }
}

fn capability(data: &RequirementData<'_>) -> Result<Capability, String> {
    let name = data.name.to_owned();
    let comparison = match data.flags {
        None => return Ok(Capability { name, range: None }),
        Some(RequirementType::LT) => Comparison::Less,
        Some(RequirementType::LE) => Comparison::LessOrEqual,
        Some(RequirementType::EQ) => Comparison::Equal,
        Some(RequirementType::GE) => Comparison::GreaterOrEqual,
        Some(RequirementType::GT) => Comparison::Greater,
    };
    let Some(version) = data.version else {
        return Ok(Capability { name, range: None });
    };
    let end = evr(data.epoch.unwrap_or_default(), version, data.release.unwrap_or_default())?;
    Ok(Capability { name, range: Some(Range { comparison, end }) })
}

fn evr(epoch: &str, version: &str, release: &str) -> Result<Evr, String> {
    let epoch = match epoch {
        "" => 0,
        text => text.parse().map_err(|_| format!("epoch `{text}` is not a number"))?,
    };
    Ok(Evr { epoch, version: version.to_owned(), release: release.to_owned() })
}

impl PrimaryVisitor for Primary<'_> {
    fn begin_package(&mut self, name: &str, arch: &str, checksum_type: &str, pkgid: &str) {
        self.entry = Entry {
            name: name.to_owned(),
            arch: arch.to_owned(),
            checksum: (checksum_type.to_owned(), pkgid.to_owned()),
            ..Entry::default()
        };
    }

    fn set_evr(&mut self, epoch: &str, version: &str, release: &str) {
        match evr(epoch, version, release) {
            Ok(evr) => self.entry.evr = Some(evr),
            Err(problem) => self.report(problem),
        }
    }

    fn set_size(&mut self, package: u64, _installed: u64, _archive: u64) {
        self.entry.size = package;
    }

    fn set_location(&mut self, href: &str, base: Option<&str>) {
        self.entry.location = (href.to_owned(), base.map(str::to_owned));
    }

    fn add_provide(&mut self, data: RequirementData<'_>) {
        if let Some(capability) = self.capability(&data) {
            self.entry.provides.push(capability);
        }
    }

    fn add_require(&mut self, data: RequirementData<'_>) {
        // `rpmlib(…)` requires a feature of rpm itself.
        if data.name.starts_with("rpmlib(") {
            return;
        }
        if let Some(dependency) = self.dependency(&data) {
            self.entry.requires.push(dependency);
        }
    }

    fn add_conflict(&mut self, data: RequirementData<'_>) {
        if let Some(dependency) = self.dependency(&data) {
            self.entry.conflicts.push(dependency);
        }
    }

    fn add_obsolete(&mut self, data: RequirementData<'_>) {
        if let Some(capability) = self.capability(&data) {
            self.entry.obsoletes.push(capability);
        }
    }

    fn add_recommend(&mut self, data: RequirementData<'_>) {
        let weak = self.weak(&data);
        self.entry.weak.recommends.extend(weak);
    }

    fn add_suggest(&mut self, data: RequirementData<'_>) {
        let weak = self.weak(&data);
        self.entry.weak.suggests.extend(weak);
    }

    fn add_supplement(&mut self, data: RequirementData<'_>) {
        let weak = self.weak(&data);
        self.entry.weak.supplements.extend(weak);
    }

    fn add_enhance(&mut self, data: RequirementData<'_>) {
        let weak = self.weak(&data);
        self.entry.weak.enhances.extend(weak);
    }

    fn add_file(&mut self, _filetype: FileType, path: &str) {
        if self.room_for(path.len()) {
            self.entry.files.push(path.to_owned());
        }
    }

    fn end_package(&mut self) {
        let entry = std::mem::take(&mut self.entry);
        // A package has a dozen texts and lists of its own.
        if entry.arch == "src" || entry.arch == "nosrc" || !self.room_for(1000) {
            return;
        }
        let name = entry.name.clone();
        match self.finish(entry) {
            Ok(package) => {
                if let Err(TooLarge) = self.packages.add(package) {
                    self.problem.get_or_insert(MetadataError::Memory);
                }
            }
            Err(problem) => {
                self.problem.get_or_insert(MetadataError::Package { package: name, problem });
            }
        }
    }
}

struct Filelists<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    files: HashMap<String, Vec<String>>,
    current: Option<(String, Vec<String>)>,
    memory: Memory,
}

impl FilelistsVisitor for Filelists<'_> {
    fn begin_package(&mut self, pkgid: &str, _name: &str, _arch: &str) {
        self.current = Some((pkgid.to_ascii_lowercase(), Vec::new()));
    }

    fn add_file(&mut self, _filetype: FileType, path: &str) {
        if let Some((_, files)) = &mut self.current
            && (self.wanted)(path)
            && self.memory.take(path.len())
        {
            files.push(path.to_owned());
        }
    }

    fn end_package(&mut self) {
        if let Some((id, files)) = self.current.take()
            && self.memory.take(id.len())
        {
            self.files.insert(id, files);
        }
    }
}
