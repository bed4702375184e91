//! `repodata/repomd.xml`, the table of contents of a yum repository.

use rpmrepo_metadata::{RepomdXml, Repository as RepositoryData};

use super::xml;
use crate::fetch::checksum::{Checksum, ChecksumError};

/// The parts of `repomd.xml` that are read.
#[derive(Debug, Default)]
pub struct Repomd {
    /// `<revision>`, if there is one.
    pub revision: Option<String>,
    records: Vec<Record>,
}

/// One metadata file.
#[derive(Debug)]
pub struct Record {
    /// `primary`, `filelists`, `group_gz`, `modules`, …
    pub kind: String,
    /// Its path, relative to the repository's base URL.
    pub href: String,
    /// The file's base URL, if it differs from the repository's.
    pub base: Option<String>,
    /// The checksum of the file as the server has it.
    pub checksum: Checksum,
    /// Its size in bytes, if it is given.
    pub size: Option<u64>,
    /// Its decompressed size in bytes, if it is given.
    pub open_size: Option<u64>,
}

/// Why a `repomd.xml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RepomdError {
    /// It is not XML of this kind.
    #[error("repomd.xml is not a table of contents of yum metadata: {0}")]
    Malformed(String),
    /// A checksum in it cannot be used.
    #[error("repomd.xml, data type `{kind}`")]
    Checksum {
        /// The data type.
        kind: String,
        /// Why.
        #[source]
        source: ChecksumError,
    },
}

impl Repomd {
    /// Reads the text of `repomd.xml`. Its signature has been checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, RepomdError> {
        let malformed = |reason: String| RepomdError::Malformed(reason);
        // The XML reader below requires valid UTF-8.
        let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        if !text.contains("<repomd") {
            let start: String = text.chars().take(60).collect();
            return Err(malformed(format!("it begins with `{}`", start.trim())));
        }
        xml::check(bytes).map_err(malformed)?;
        let mut data = RepositoryData::new();
        data.load_metadata_bytes::<RepomdXml>(bytes)
            .map_err(|error| malformed(error.to_string()))?;
        let mut records = Vec::new();
        for record in data.repomd().records() {
            // The zchunk and sqlite copies of the same data are not read,
            // so their checksums do not matter.
            if record.metadata_name.ends_with("_zck") || record.metadata_name.ends_with("_db") {
                continue;
            }
            let checksum = checksum(&record.checksum).map_err(|source| RepomdError::Checksum {
                kind: record.metadata_name.clone(),
                source,
            })?;
            records.push(Record {
                kind: record.metadata_name.clone(),
                href: record.location_href.to_string_lossy().into_owned(),
                base: record.location_base.clone(),
                checksum,
                size: record.size,
                open_size: record.open_size,
            });
        }
        let revision = data.repomd().revision().map(str::to_owned).filter(|text| !text.is_empty());
        Ok(Self { revision, records })
    }

    /// The metadata file of this kind.
    pub fn record(&self, kind: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.kind == kind)
    }
}

fn checksum(value: &rpmrepo_metadata::Checksum) -> Result<Checksum, ChecksumError> {
    use rpmrepo_metadata::Checksum as C;
    let (algorithm, hex) = match value {
        C::Sha1(hex) => ("sha1", hex.as_str()),
        C::Sha256(hex) => ("sha256", hex.as_str()),
        C::Sha384(hex) => ("sha384", hex.as_str()),
        C::Sha512(hex) => ("sha512", hex.as_str()),
        C::Md5(hex) => ("md5", hex.as_str()),
        C::Sha224(hex) => ("sha224", hex.as_str()),
        C::Unknown(hex) => ("unknown", hex.as_str()),
        C::Empty => ("none", ""),
    };
    Checksum::parse(algorithm, hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_documents_are_named_for_what_they_are() {
        for text in [
            "",
            "<html>log in</html>",
            "{}",
            "<repomd><data></repomd",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><repomd/>",
        ] {
            assert!(Repomd::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Repomd::parse(&[0xff; 40]).is_err());
    }
}
