//! Checking a package file by the checksum in signed metadata, and by the signature
//! in its own header.
//!
//! As `rpmkeys -K` does, this checks all digests and signatures that a package has. A
//! signature of the header covers the payload through the payload's digest, which the
//! header contains since rpm 4.14. Packages of el7 have a second signature, over
//! header and payload. If a package has neither, only the checksum of the whole file
//! in signed metadata covers the payload.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::time::SystemTime;

use bundle_format::{Evr, Nevra};
use pgp::packet::SignatureType;
use rpm::{IndexSignatureTag, PackageMetadata};

use super::header::{HeaderError, Outside};
use super::key::{ExpiredKeys, Judgement, Keyring, SignatureError};
use super::node_rpm::NodeRpm;
use super::package_digest::{Digests, found};
use super::signatory::Signatory;
use super::signature_form;
use crate::fetch::checksum::Checksum;

/// Whose signature a package must have.
#[derive(Clone, Copy, Debug)]
pub enum Signature<'a> {
    /// One of these keys.
    By {
        /// The keys.
        keyring: &'a Keyring,
        /// What to do with expired keys.
        expired: ExpiredKeys,
        /// Whether the checksum of the file is from signed metadata.
        metadata_is_signed: bool,
        /// The node's rpm, which will check the package again.
        node_rpm: NodeRpm,
    },
    /// Nobody's. The spec switched the check off and gives the reason.
    Unchecked,
}

/// Why a package file is refused.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It cannot be read.
    #[error("it cannot be read")]
    Read(#[from] std::io::Error),
    /// It is not the file that the metadata names.
    #[error("it is not the file that the repository's metadata promises ({0})")]
    Checksum(Checksum),
    /// It is not an RPM.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Its headers make no sense.
    #[error("its headers make no sense: {0}")]
    Malformed(String),
    /// Its bytes do not have the digests in it.
    #[error(
        "it was damaged, or changed after it was made: it has wrong digests ({}); ask the vendor to fix the repository, or use another mirror", .0.join(", ")
    )]
    Digest(Vec<String>),
    /// It has no digest of some of its parts.
    #[error("it has no digest of {}, so rpm would refuse it", .0.join(" and "))]
    NoDigest(Vec<&'static str>),
    /// Its signature covers only its header.
    #[error(
        "its signature covers only its header, and the header has no digest of the payload; switch `repoGpgcheck` on for this repository, so that signed metadata covers the whole file"
    )]
    PartlySigned,
    /// Its header names another package than the metadata.
    #[error("it says that it is {found}")]
    Other {
        /// The package in its header.
        found: String,
    },
    /// Its signature does not count.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Its signature counts here, but not on a node.
    #[error("it is signed with key {key}; {objection}, and would refuse the package")]
    NodeRpm {
        /// The key, and its owner.
        key: String,
        /// Why the node's rpm refuses it.
        objection: &'static str,
    },
}

impl PackageError {
    /// Whether these are other bytes than the metadata promises, so that it helps to
    /// fetch them again.
    pub fn is_of_other_bytes(&self) -> bool {
        matches!(self, Self::Read(_) | Self::Checksum(_))
    }
}

/// A package that was checked.
#[derive(Debug)]
pub struct Verified {
    file: File,
    outside: Outside,
    header: PackageMetadata,
    signed_by: Option<Signatory>,
}

impl Verified {
    /// Its header.
    pub fn header(&self) -> &PackageMetadata {
        &self.header
    }

    /// The same, if nothing else of the package is needed.
    pub fn into_header(self) -> PackageMetadata {
        self.header
    }

    /// The key that signed it. `None` if signatures are not checked.
    pub fn signed_by(&self) -> Option<&Signatory> {
        self.signed_by.as_ref()
    }

    pub(super) fn payload(&self) -> io::Result<impl Read + '_> {
        payload(&self.file, &self.outside)
    }
}

/// Checks that `file` is `package`, and has this checksum and this signature.
pub fn verify(
    mut file: File,
    package: &Nevra,
    checksum: &Checksum,
    signature: Signature<'_>,
    now: SystemTime,
) -> Result<Verified, PackageError> {
    file.rewind()?;
    if !checksum.matches(&mut file)? {
        return Err(PackageError::Checksum(checksum.clone()));
    }
    file.rewind()?;
    let outside = Outside::read(&mut BufReader::new(&file))?;
    let header = PackageMetadata::parse(&mut outside.bytes()).map_err(malformed)?;
    let digests = Digests::of(&header).map_err(malformed)?;
    let misfits = digests.misfits(outside.header(), &mut payload(&file, &outside)?)?;
    if !misfits.is_empty() {
        return Err(PackageError::Digest(misfits));
    }
    let gaps = digests.gaps();
    if !gaps.is_empty() {
        return Err(PackageError::NoDigest(gaps));
    }
    let signed_by = match signature {
        Signature::Unchecked => None,
        Signature::By { keyring, expired, metadata_is_signed, node_rpm } => {
            let judgement = Judgement { kinds: &[SignatureType::Binary], expired, now };
            let (file, outside, header) = (&file, &outside, &header);
            let subject = Subject { file, outside, header, keyring, judgement, node_rpm };
            let signed = subject.signed()?;
            let reaches_payload = signed.payload || digests.header_names_payload();
            if !reaches_payload && !metadata_is_signed {
                return Err(PackageError::PartlySigned);
            }
            Some(signed.by)
        }
    };
    let found = nevra(&header).map_err(malformed)?;
    if found != *package {
        return Err(PackageError::Other { found: found.to_string() });
    }
    Ok(Verified { file, outside, header, signed_by })
}

/// The result of checking a package's signatures.
struct Signed {
    by: Signatory,
    /// Whether a signature also covers the payload.
    payload: bool,
}

/// A package, and who may have signed it.
struct Subject<'a> {
    file: &'a File,
    outside: &'a Outside,
    header: &'a PackageMetadata,
    keyring: &'a Keyring,
    judgement: Judgement<'a>,
    node_rpm: NodeRpm,
}

impl Subject<'_> {
    fn signed(&self) -> Result<Signed, PackageError> {
        let several = self.several()?;
        let older = self.older()?;
        let payload = older.as_ref().is_some_and(|older| older.payload);
        match older.map(|older| older.by).or(several) {
            Some(by) => Ok(Signed { by, payload }),
            None => Err(SignatureError::Unsigned.into()),
        }
    }

    /// Checks the newer kind of signature. There may be several, by several
    /// vendors or generations of keys. One must count, and none may be over other
    /// bytes. Gives the key of the one that counts.
    fn several(&self) -> Result<Option<Signatory>, PackageError> {
        let signatures = &self.header.signature;
        if !self.node_rpm.knows_several_signatures()
            || !signatures.entry_is_present(IndexSignatureTag::RPMSIGTAG_OPENPGP)
        {
            return Ok(None);
        }
        let (mut by, mut problem) = (None, None);
        for bytes in self.header.raw_signatures().map_err(malformed)? {
            match self.keyring.judge(&|| self.header_bytes(), &bytes, self.judgement) {
                Ok(key) => match self.accepted(key) {
                    Ok(key) => by = Some(key),
                    Err(error) => problem = Some(error),
                },
                Err(error @ SignatureError::Bad(_)) => return Err(error.into()),
                Err(SignatureError::UnknownKey { .. }) if problem.is_some() => {}
                Err(error) => problem = Some(error.into()),
            }
        }
        match (by, problem) {
            (None, Some(problem)) => Err(problem),
            (by, _) => Ok(by),
        }
    }

    /// Checks the older kinds of signatures. rpm refuses a package if one of them
    /// does not count.
    fn older(&self) -> Result<Option<Signed>, PackageError> {
        let mut signed: Option<Signed> = None;
        for (tag, is_over_payload) in [
            (IndexSignatureTag::RPMSIGTAG_RSA, false),
            (IndexSignatureTag::RPMSIGTAG_DSA, false),
            (IndexSignatureTag::RPMSIGTAG_PGP, true),
            (IndexSignatureTag::RPMSIGTAG_GPG, true),
        ] {
            let bytes = found(self.header.signature.get_entry_data_as_binary(tag));
            let Some(bytes) = bytes.map_err(malformed)? else { continue };
            let signatory = match is_over_payload {
                true => self.keyring.judge(&|| self.whole(), bytes, self.judgement)?,
                false => self.keyring.judge(&|| self.header_bytes(), bytes, self.judgement)?,
            };
            let key_id = signature_form::key_id(bytes).ok_or(SignatureError::Form)?;
            if key_id != signatory.key_id.as_ref() {
                let objection =
                    "rpm knows the key by its key id, which the signature does not have";
                return Err(PackageError::NodeRpm { key: signatory.words, objection });
            }
            let payload = is_over_payload || signed.is_some_and(|signed| signed.payload);
            signed = Some(Signed { by: self.accepted(signatory)?, payload });
        }
        Ok(signed)
    }

    /// The same key, if the node's rpm takes its signature too.
    fn accepted(&self, by: Signatory) -> Result<Signatory, PackageError> {
        match self.node_rpm.objection(&by) {
            Some(objection) => Err(PackageError::NodeRpm { key: by.words, objection }),
            None => Ok(by),
        }
    }

    fn header_bytes(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.outside.header()))
    }

    /// Header and payload.
    fn whole(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.outside.header().chain(payload(self.file, self.outside)?)))
    }
}

fn payload<'a>(mut file: &'a File, outside: &Outside) -> io::Result<BufReader<&'a File>> {
    file.seek(SeekFrom::Start(outside.bytes().len() as u64))?;
    Ok(BufReader::new(file))
}

fn malformed(error: rpm::Error) -> PackageError {
    PackageError::Malformed(error.to_string())
}

fn nevra(header: &PackageMetadata) -> Result<Nevra, rpm::Error> {
    let evr = Evr {
        epoch: header.get_epoch().unwrap_or(0),
        version: header.get_version()?.to_owned(),
        release: header.get_release()?.to_owned(),
    };
    Ok(Nevra { name: header.get_name()?.to_owned(), evr, arch: header.get_arch()?.to_owned() })
}
