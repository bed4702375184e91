//! The digests that a package contains of itself, checked as `rpmkeys -K` does (rpm's
//! `lib/rpmvs.c`). Those of the header, and of header and payload, are in the
//! signature header, which is not signed. Those of the payload are in the main
//! header.

use std::io::{self, Read};

use pgp::crypto::hash::HashAlgorithm;
use rpm::{IndexSignatureTag, IndexTag, PackageMetadata};

/// The part of a package that a digest is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Header,
    Payload,
    Both,
}

/// A digest in a package.
#[derive(Debug)]
struct Carried {
    range: Range,
    algorithm: HashAlgorithm,
    /// The digests in hex. The payload must have one of them: rpm records one of
    /// the compressed payload, and one of the payload before compression.
    expected: Vec<String>,
}

/// All digests of a package.
#[derive(Debug)]
pub(super) struct Digests(Vec<Carried>);

impl Digests {
    pub(super) fn of(package: &PackageMetadata) -> Result<Self, rpm::Error> {
        use HashAlgorithm::{Md5, Sha1, Sha3_256, Sha256, Sha512};
        let mut carried = Vec::new();
        let mut add = |range, algorithm, expected: Vec<String>| {
            if !expected.is_empty() {
                carried.push(Carried { range, algorithm, expected });
            }
        };
        let signature = |tag| found(package.signature.get_entry_data_as_string(tag));
        for (algorithm, tag) in [
            (Sha1, IndexSignatureTag::RPMSIGTAG_SHA1),
            (Sha256, IndexSignatureTag::RPMSIGTAG_SHA256),
            (Sha3_256, IndexSignatureTag::RPMSIGTAG_SHA3_256),
        ] {
            add(Range::Header, algorithm, signature(tag)?.map(str::to_owned).into_iter().collect());
        }
        let md5 = package.signature.get_entry_data_as_binary(IndexSignatureTag::RPMSIGTAG_MD5);
        add(Range::Both, Md5, found(md5)?.map(hex::encode).into_iter().collect());
        for (algorithm, tag, uncompressed) in [
            (Sha256, IndexTag::RPMTAG_PAYLOADSHA256, IndexTag::RPMTAG_PAYLOADSHA256ALT),
            (Sha512, IndexTag::RPMTAG_PAYLOAD_SHA512, IndexTag::RPMTAG_PAYLOAD_SHA512_ALT),
            (Sha3_256, IndexTag::RPMTAG_PAYLOAD_SHA3_256, IndexTag::RPMTAG_PAYLOAD_SHA3_256_ALT),
        ] {
            let mut expected = Vec::new();
            for tag in [tag, uncompressed] {
                let values = found(package.header.get_entry_data_as_string_array(tag))?;
                expected.extend(values.unwrap_or_default().into_iter().map(str::to_owned));
            }
            add(Range::Payload, algorithm, expected);
        }
        Ok(Self(carried))
    }

    /// Whether the header has a digest of the payload.
    pub(super) fn header_names_payload(&self) -> bool {
        self.0.iter().any(|one| one.range == Range::Payload)
    }

    /// The parts of the package that no digest covers.
    pub(super) fn gaps(&self) -> Vec<&'static str> {
        let lacks =
            |range| !self.0.iter().any(|one| one.range == range || one.range == Range::Both);
        [(Range::Header, "its header"), (Range::Payload, "its payload")]
            .into_iter()
            .filter(|(range, _)| lacks(*range))
            .map(|(_, words)| words)
            .collect()
    }

    /// Reads the payload to its end, and gives the digests that are wrong.
    pub(super) fn misfits(
        &self,
        header: &[u8],
        payload: &mut impl Read,
    ) -> io::Result<Vec<String>> {
        let mut hashers = Vec::new();
        for one in &self.0 {
            let mut hasher = one.algorithm.new_hasher().map_err(io::Error::other)?;
            if one.range != Range::Payload {
                hasher.update(header);
            }
            hashers.push(hasher);
        }
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = match payload.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            for (one, hasher) in self.0.iter().zip(&mut hashers) {
                if one.range != Range::Header {
                    hasher.update(buffer.get(..count).unwrap_or_default());
                }
            }
        }
        let mut misfits = Vec::new();
        for (one, hasher) in self.0.iter().zip(hashers) {
            if !one.fits(&hasher.finalize()) {
                misfits.push(one.words());
            }
        }
        Ok(misfits)
    }
}

impl Carried {
    fn fits(&self, digest: &[u8]) -> bool {
        let digest = hex::encode(digest);
        self.expected.iter().any(|expected| expected.eq_ignore_ascii_case(&digest))
    }

    fn words(&self) -> String {
        let range = match self.range {
            Range::Header => "header",
            Range::Payload => "payload",
            Range::Both => "header and payload",
        };
        format!("{} of its {range}", self.algorithm)
    }
}

/// A tag's value. `None` if the package does not have the tag.
pub(super) fn found<T>(value: Result<T, rpm::Error>) -> Result<Option<T>, rpm::Error> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(rpm::Error::TagNotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
