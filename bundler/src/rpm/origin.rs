//! Where a package comes from, as its own header says.

use std::io::{BufReader, Read};

use bundle_format::archive::error::BundleError;
use bundle_format::archive::reader::Bundle;
use bundle_format::lock::{Descriptor, LockedRpm};
use rpm::PackageMetadata;

use super::header::{HeaderError, Outside};

/// What a package's header says of its licence and its origin. An old or careless package
/// may say nothing. The texts are the vendor's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its licence, such as `GPLv2+ and MIT`. It is a text for people, not always of SPDX.
    pub licence: Option<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// The file name of the source package: `socat-1.7.4.1-5.el9.src.rpm`.
    pub source: Option<String>,
}

/// Why a package's header says nothing.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// The bundle does not give it.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// It is not a package.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Its header makes no sense.
    #[error("its header makes no sense: {0}")]
    Malformed(String),
}

impl Origin {
    /// What a header says.
    pub fn of(header: &PackageMetadata) -> Self {
        let said = |text: Result<&str, rpm::Error>| {
            let text =
                text.ok().map(str::trim).filter(|text| !text.is_empty() && *text != "(none)");
            text.map(str::to_owned)
        };
        Self {
            licence: said(header.get_license()),
            vendor: said(header.get_vendor()),
            source: said(header.get_source_rpm()),
        }
    }

    /// What the first bytes of a package say. The rest is not read, and so its digests are
    /// not checked.
    pub fn read(package: impl Read) -> Result<Self, OriginError> {
        let outside = Outside::read(&mut BufReader::new(package))?;
        let header = PackageMetadata::parse(&mut outside.bytes())
            .map_err(|error| OriginError::Malformed(error.to_string()))?;
        Ok(Self::of(&header))
    }

    /// What a package in a bundle says.
    pub fn in_bundle(bundle: &Bundle, rpm: &LockedRpm) -> Result<Self, OriginError> {
        let content = Descriptor { media_type: "".into(), digest: rpm.digest, size: rpm.size };
        Self::read(bundle.open_blob(&content)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_says_where_it_comes_from() {
        let mut builder = rpm::PackageBuilder::new("a", "1", "GPLv2+ and MIT", "noarch", "a");
        builder.vendor("Its maker");
        let mut bytes = Vec::new();
        builder.build().unwrap().write(&mut bytes).unwrap();
        let origin = Origin::read(bytes.as_slice()).unwrap();
        assert_eq!(origin.licence.as_deref(), Some("GPLv2+ and MIT"));
        assert_eq!(origin.vendor.as_deref(), Some("Its maker"));
        assert!(Origin::read(&bytes[..200]).is_err());
        assert!(Origin::read(&b"no package"[..]).is_err());
    }
}
