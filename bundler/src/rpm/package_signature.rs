//! A package file and what vouches for it: the checksum that signed metadata
//! gives, and the signature in its own header.
//!
//! The header's signature covers the header. In packages since rpm 4.14 the
//! header holds a digest of the payload; in el7's it does not, and the checksum
//! of the whole file from signed metadata closes the gap. So both are asked
//! for, over the same open file.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::time::SystemTime;

use bundle_format::{Evr, Nevra};
use rpm::PackageMetadata;

use super::checksum::Checksum;
use super::header::{HeaderError, Outside};
use super::key::{ExpiredKeys, Keyring, SignatureError};

/// Whose signature a package must bear.
#[derive(Clone, Copy, Debug)]
pub enum Signature<'a> {
    /// One of these keys.
    By {
        /// The keys.
        keyring: &'a Keyring,
        /// What becomes of expired ones.
        expired: ExpiredKeys,
    },
    /// Nobody's: the spec switched the check off and says why.
    Unchecked,
}

/// Why a package file is refused.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It cannot be read.
    #[error("it cannot be read")]
    Read(#[from] std::io::Error),
    /// It is not the file that the metadata promises.
    #[error("it is not the file that the repository's metadata promises ({0})")]
    Checksum(Checksum),
    /// It is no RPM.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Its headers make no sense.
    #[error("its headers make no sense: {0}")]
    Malformed(String),
    /// Its header says another package than the metadata.
    #[error("it says that it is {found}")]
    Other {
        /// What its header says.
        found: String,
    },
    /// Its signature does not count.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// Checks that `file` is `package`, has this checksum and bears this signature;
/// gives its header, and the fingerprint of the key that signed it.
pub fn verify(
    mut file: File,
    package: &Nevra,
    checksum: &Checksum,
    signature: Signature<'_>,
    now: SystemTime,
) -> Result<(PackageMetadata, Option<String>), PackageError> {
    file.rewind()?;
    if !checksum.matches(&mut file)? {
        return Err(PackageError::Checksum(checksum.clone()));
    }
    file.rewind()?;
    let outside = Outside::read(&mut BufReader::new(file))?;
    let malformed = |error: rpm::Error| PackageError::Malformed(error.to_string());
    let header = PackageMetadata::parse(&mut outside.bytes()).map_err(malformed)?;
    let signed_by = match signature {
        Signature::Unchecked => None,
        Signature::By { keyring, expired } => {
            let mut result = Err(SignatureError::Unsigned);
            for bytes in header.raw_signatures().map_err(malformed)? {
                result = keyring.verify(outside.header(), &bytes, expired, now);
                if result.is_ok() {
                    break;
                }
            }
            Some(result?)
        }
    };
    let found = nevra(&header).map_err(malformed)?;
    if found != *package {
        return Err(PackageError::Other { found: found.to_string() });
    }
    Ok((header, signed_by))
}

fn nevra(header: &PackageMetadata) -> Result<Nevra, rpm::Error> {
    let evr = Evr {
        epoch: header.get_epoch().unwrap_or(0),
        version: header.get_version()?.to_owned(),
        release: header.get_release()?.to_owned(),
    };
    Ok(Nevra { name: header.get_name()?.to_owned(), evr, arch: header.get_arch()?.to_owned() })
}
