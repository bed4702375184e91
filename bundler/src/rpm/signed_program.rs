//! A program out of a package, in a form that may be run: only a package whose vendor's
//! signature counts gives one, and only exactly as its signed header describes it.

use std::io;

use bundle_format::Digest;
use bundle_format::input::bounded;
use rpm::{DigestAlgorithm, FileEntry, FileType};

use super::compression::decompress;
use super::cpio;
use super::package_signature::Verified;

/// The largest program that is taken out of a package, in bytes. kubeadm 1.37.2 has
/// 75 million.
const MAX_PROGRAM: u64 = 256 << 20;
/// The largest payload that is read for one, in bytes, compressed and not.
const MAX_PAYLOAD: u64 = 256 << 20;
const MAX_CONTENT: u64 = 1 << 30;

/// The bytes of a program from a signed package.
#[derive(Debug)]
pub struct SignedProgram {
    bytes: Vec<u8>,
}

/// Why a package gives no program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// Nobody has signed it, as far as anybody checked.
    #[error("the signatures of its repository's packages are not checked (`gpgcheck` is off)")]
    Unsigned,
    /// Its header cannot be read.
    #[error("its list of files makes no sense: {0}")]
    Malformed(String),
    /// It is not there, or in another form.
    #[error("its package has no file `{0}` with a SHA-256 in its header")]
    Missing(String),
    /// It is a link, a folder, ….
    #[error("`{0}` in its package is not a regular file")]
    Kind(String),
    /// It is larger than any program of its kind.
    #[error("`{0}` in its package is larger than {MAX_PROGRAM} bytes")]
    TooLarge(String),
    /// The payload cannot be read.
    #[error("the payload of its package cannot be read: {0}")]
    Payload(#[from] io::Error),
    /// The payload has something else in its place.
    #[error("`{0}` in its package is not the file that the package's signed header describes")]
    Other(String),
}

impl SignedProgram {
    /// The program at `path` in a package.
    pub fn of(package: &Verified, path: &str) -> Result<Self, ProgramError> {
        if package.signed_by().is_none() {
            return Err(ProgramError::Unsigned);
        }
        let malformed = |error: rpm::Error| ProgramError::Malformed(error.to_string());
        let files = package.header().get_file_entries().map_err(malformed)?;
        let missing = || ProgramError::Missing(path.to_owned());
        let is_it = |file: &&FileEntry<'_>| file.path().as_os_str() == path;
        let file = files.iter().find(is_it).ok_or_else(missing)?;
        if file.file_type() != FileType::Regular {
            return Err(ProgramError::Kind(path.to_owned()));
        }
        let size = file.size() as u64;
        if size > MAX_PROGRAM {
            return Err(ProgramError::TooLarge(path.to_owned()));
        }
        let is_sha256 = file.digest().filter(|one| one.algorithm() == DigestAlgorithm::Sha2_256);
        let digest: Digest = is_sha256
            .and_then(|one| format!("sha256:{}", one.as_hex()).parse().ok())
            .ok_or_else(missing)?;
        let payload = bounded(package.payload()?, MAX_PAYLOAD)?;
        let bytes = cpio::content(&mut decompress(&payload, MAX_CONTENT)?, path, size)?;
        let bytes = bytes.filter(|bytes| Digest::of(bytes) == digest);
        Ok(Self { bytes: bytes.ok_or_else(|| ProgramError::Other(path.to_owned()))? })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
