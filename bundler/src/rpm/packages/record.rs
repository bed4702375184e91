//! A package as its record has it: with numbers instead of texts.

use bundle_format::{Digest, Evr, Nevra};
use serde::{Deserialize, Serialize};
use url::Url;

use super::columns::Columns;
use super::texts::Texts;
use crate::fetch::checksum::Checksum;
use crate::rpm::dependency::{Capability, Comparison, Dependency, Range};
use crate::rpm::package::{Package, Weak};

/// A package without its name.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    /// The first one, so that it can be read alone.
    pub(super) provides: Vec<Item>,
    requires: Vec<Need>,
    conflicts: Vec<Need>,
    obsoletes: Vec<Item>,
    /// `Recommends:`, `Suggests:`, `Supplements:`, `Enhances:`
    weak: [Vec<Need>; 4],
    pub(super) files: Vec<u32>,
    /// The URL of its file, behind the repository's if that is its beginning.
    is_below: bool,
    source: u32,
    size: u64,
    pub(super) checksum: Sum,
}

/// A checksum.
#[derive(Serialize, Deserialize)]
pub(super) struct Sum {
    algorithm: u32,
    bytes: Vec<u8>,
}

/// A capability.
#[derive(Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) name: u32,
    range: Option<(Comparison, u32, u32, u32)>,
}

/// A dependency.
#[derive(Serialize, Deserialize)]
enum Need {
    One(Item),
    /// The text of a Boolean expression. A tree could be deeper than any reader's stack.
    Boolean(u32),
}

impl Record {
    /// The record of a package. Its texts are put into `texts`.
    pub(super) fn of(package: &Package, base: &Url, texts: &mut Texts) -> Self {
        let mut items =
            |all: &[Capability]| all.iter().map(|one| Item::of(one, texts)).collect::<Vec<_>>();
        let (provides, obsoletes) = (items(&package.provides), items(&package.obsoletes));
        let mut needs =
            |all: &[Dependency]| all.iter().map(|one| Need::of(one, texts)).collect::<Vec<_>>();
        let Weak { recommends, suggests, supplements, enhances } = &package.weak;
        let weak = [recommends, suggests, supplements, enhances].map(|all| needs(all));
        let (requires, conflicts) = (needs(&package.requires), needs(&package.conflicts));
        let source = package.source.as_str();
        let below = source.strip_prefix(base.as_str());
        let checksum = package.checksum.to_string();
        let (algorithm, hex) = checksum.split_once(':').unwrap_or_default();
        Self {
            provides,
            requires,
            conflicts,
            obsoletes,
            weak,
            files: package.files.iter().map(|file| texts.number(file)).collect(),
            is_below: below.is_some(),
            source: texts.add(below.unwrap_or(source)),
            size: package.size,
            checksum: Sum {
                algorithm: texts.number(algorithm),
                bytes: hex::decode(hex).unwrap_or_default(),
            },
        }
    }

    /// The numbers of the names that it obsoletes.
    pub(super) fn obsoleted(&self) -> impl Iterator<Item = u32> {
        self.obsoletes.iter().map(|item| item.name)
    }

    /// The package with this name. `None` if the record is damaged.
    pub(super) fn package(self, nevra: &Nevra, base: &Url, columns: &Columns) -> Option<Package> {
        let items = |all: Vec<Item>| -> Option<Vec<Capability>> {
            all.into_iter().map(|one| one.capability(columns)).collect()
        };
        let needs = |all: Vec<Need>| -> Option<Vec<Dependency>> {
            all.into_iter().map(|one| one.dependency(columns)).collect()
        };
        let source = columns.text(self.source)?;
        let source = match self.is_below {
            true => Url::parse(&format!("{base}{source}")),
            false => Url::parse(source),
        };
        let [recommends, suggests, supplements, enhances] = self.weak.map(needs);
        Some(Package {
            nevra: nevra.clone(),
            source: source.ok()?,
            size: self.size,
            checksum: self.checksum.checksum(columns)?,
            provides: items(self.provides)?,
            requires: needs(self.requires)?,
            conflicts: needs(self.conflicts)?,
            obsoletes: items(self.obsoletes)?,
            weak: Weak {
                recommends: recommends?,
                suggests: suggests?,
                supplements: supplements?,
                enhances: enhances?,
            },
            files: self
                .files
                .into_iter()
                .map(|file| columns.text(file).map(str::to_owned))
                .collect::<Option<_>>()?,
        })
    }
}

impl Sum {
    /// The checksum. `None` if it is damaged.
    pub(super) fn checksum(&self, columns: &Columns) -> Option<Checksum> {
        Checksum::parse(columns.text(self.algorithm)?, &hex::encode(&self.bytes)).ok()
    }
}

impl Item {
    fn of(capability: &Capability, texts: &mut Texts) -> Self {
        let mut range = |range: &Range| {
            let Evr { epoch, version, release } = &range.end;
            (range.comparison, *epoch, texts.number(version), texts.number(release))
        };
        let range = capability.range.as_ref().map(&mut range);
        Self { name: texts.number(&capability.name), range }
    }

    fn capability(self, columns: &Columns) -> Option<Capability> {
        let text = |number| columns.text(number).map(str::to_owned);
        let range = match self.range {
            None => None,
            Some((comparison, epoch, version, release)) => {
                let (version, release) = (text(version)?, text(release)?);
                Some(Range { comparison, end: Evr { epoch, version, release } })
            }
        };
        Some(Capability { name: text(self.name)?, range })
    }
}

impl Need {
    fn of(dependency: &Dependency, texts: &mut Texts) -> Self {
        match dependency {
            Dependency::Capability(capability) => Self::One(Item::of(capability, texts)),
            expression => Self::Boolean(texts.number(&expression.to_string())),
        }
    }

    fn dependency(self, columns: &Columns) -> Option<Dependency> {
        match self {
            Self::One(item) => item.capability(columns).map(Dependency::Capability),
            Self::Boolean(text) => Dependency::parse(columns.text(text)?).ok(),
        }
    }
}

/// A package whose record is damaged. The checksum of the whole form was right, so somebody wrote
/// this record, and could have written any other. No file of a package has this checksum, so
/// nothing is fetched for it.
pub(super) fn hollow(nevra: &Nevra, base: &Url) -> Package {
    Package {
        nevra: nevra.clone(),
        source: base.clone(),
        size: 0,
        checksum: Digest::of(b"").into(),
        provides: Vec::new(),
        requires: Vec::new(),
        conflicts: Vec::new(),
        obsoletes: Vec::new(),
        weak: Weak::default(),
        files: Vec::new(),
    }
}
