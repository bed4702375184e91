//! `primary.xml` and `filelists.xml`: the packages of a repository.

use std::collections::HashMap;
use std::io::BufReader;

use bundle_format::{Evr, Nevra};
use rpmrepo_metadata::visitor::{
    FilelistsVisitor, PrimaryVisitor, RequirementData, parse_filelists, parse_primary,
};
use rpmrepo_metadata::{FileType, RequirementType, utils};
use url::Url;

use super::checksum::Checksum;
use super::compression::decompress;
use super::dependency::{Capability, Comparison, Dependency, Range};
use super::package::{Package, Weak};
use super::xml;

/// Why metadata cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// The compressed data is damaged or too large.
    #[error("cannot decompress it")]
    Decompress(#[from] std::io::Error),
    /// It is not XML of the kind.
    #[error("it is not yum metadata: {0}")]
    Xml(String),
    /// An entry makes no sense.
    #[error("package `{package}`: {problem}")]
    Package {
        /// Its name.
        package: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads the packages of a `primary.xml`, compressed or not, that inflates to
/// `limit` bytes at most. Their places are relative to `base`.
pub fn read_primary(bytes: &[u8], limit: u64, base: &Url) -> Result<Vec<Package>, MetadataError> {
    let mut visitor =
        Primary { base, packages: Vec::new(), entry: Entry::default(), problem: None };
    xml::check(BufReader::new(decompress(bytes, limit)?)).map_err(MetadataError::Xml)?;
    let reader = BufReader::new(decompress(bytes, limit)?);
    let mut reader = utils::create_xml_reader(reader);
    parse_primary(&mut reader, &mut visitor)
        .map_err(|error| MetadataError::Xml(error.to_string()))?;
    match visitor.problem {
        Some(problem) => Err(problem),
        None => Ok(visitor.packages),
    }
}

/// Reads the files of each package, by package checksum, of a `filelists.xml`.
pub fn read_filelists(
    bytes: &[u8],
    limit: u64,
) -> Result<HashMap<String, Vec<String>>, MetadataError> {
    let mut visitor = Filelists::default();
    xml::check(BufReader::new(decompress(bytes, limit)?)).map_err(MetadataError::Xml)?;
    let reader = BufReader::new(decompress(bytes, limit)?);
    let mut reader = utils::create_xml_reader(reader);
    parse_filelists(&mut reader, &mut visitor)
        .map_err(|error| MetadataError::Xml(error.to_string()))?;
    Ok(visitor.files)
}

/// What was seen of the entry that is being read.
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
    packages: Vec<Package>,
    entry: Entry,
    problem: Option<MetadataError>,
}

impl Primary<'_> {
    fn dependency(&mut self, data: &RequirementData<'_>) -> Option<Dependency> {
        dependency(data).map_err(|problem| self.report(problem)).ok()
    }

    fn capability(&mut self, data: &RequirementData<'_>) -> Option<Capability> {
        capability(data).map_err(|problem| self.report(problem)).ok()
    }

    fn report(&mut self, problem: String) {
        let package = self.entry.name.clone();
        self.problem.get_or_insert(MetadataError::Package { package, problem });
    }

    fn finish(&mut self, entry: Entry) -> Result<Package, String> {
        let evr = entry.evr.ok_or("it has no version")?;
        if entry.name.is_empty() || entry.arch.is_empty() || evr.release.is_empty() {
            return Err("it has no name, release or architecture".to_owned());
        }
        let checksum = Checksum::parse(&entry.checksum.0, &entry.checksum.1)
            .map_err(|error| error.to_string())?;
        let base = match &entry.location.1 {
            Some(base) => {
                let folder = format!("{}/", base.trim_end_matches('/'));
                Url::parse(&folder).map_err(|error| format!("its base `{base}`: {error}"))?
            }
            None => self.base.clone(),
        };
        let href = &entry.location.0;
        let source = base.join(href).map_err(|error| format!("its place `{href}`: {error}"))?;
        // A link out of the repository may lead to another folder of the same
        // server (`../../pool/…` is real), never to another kind of place.
        if source.scheme() != base.scheme() || source.host() != base.host() {
            return Err(format!("its place `{href}` leads away from {base}"));
        }
        Ok(Package {
            nevra: Nevra { name: entry.name, evr, arch: entry.arch },
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
        // `rpmlib(…)` asks for a feature of rpm itself.
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

    // A weak dependency that makes no sense is no reason to refuse a repository:
    // nothing is missing without it.
    fn add_recommend(&mut self, data: RequirementData<'_>) {
        self.entry.weak.recommends.extend(dependency(&data));
    }

    fn add_suggest(&mut self, data: RequirementData<'_>) {
        self.entry.weak.suggests.extend(dependency(&data));
    }

    fn add_supplement(&mut self, data: RequirementData<'_>) {
        self.entry.weak.supplements.extend(dependency(&data));
    }

    fn add_enhance(&mut self, data: RequirementData<'_>) {
        self.entry.weak.enhances.extend(dependency(&data));
    }

    fn add_file(&mut self, _filetype: FileType, path: &str) {
        self.entry.files.push(path.to_owned());
    }

    fn end_package(&mut self) {
        let entry = std::mem::take(&mut self.entry);
        if entry.arch == "src" || entry.arch == "nosrc" {
            return;
        }
        let name = entry.name.clone();
        match self.finish(entry) {
            Ok(package) => self.packages.push(package),
            Err(problem) => {
                self.problem.get_or_insert(MetadataError::Package { package: name, problem });
            }
        }
    }
}

#[derive(Default)]
struct Filelists {
    files: HashMap<String, Vec<String>>,
    current: Option<(String, Vec<String>)>,
}

impl FilelistsVisitor for Filelists {
    fn begin_package(&mut self, pkgid: &str, _name: &str, _arch: &str) {
        self.current = Some((pkgid.to_ascii_lowercase(), Vec::new()));
    }

    fn add_file(&mut self, _filetype: FileType, path: &str) {
        if let Some((_, files)) = &mut self.current {
            files.push(path.to_owned());
        }
    }

    fn end_package(&mut self) {
        if let Some((id, files)) = self.current.take() {
            self.files.insert(id, files);
        }
    }
}
