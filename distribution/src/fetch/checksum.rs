//! The checksums in yum metadata.

use std::fmt;
use std::io::{self, Read};

use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

/// A checksum with its algorithm. `sha` and `sha1` are two names for SHA-1
/// (createrepo_c's `checksum.c`); MD5 is not accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checksum {
    algorithm: Algorithm,
    hex: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Algorithm {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// A checksum that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ChecksumError {
    /// MD5, or an unknown algorithm.
    #[error("checksum type `{0}` is not one of sha1, sha256, sha384, sha512")]
    Algorithm(String),
    /// The text is not hex, or has the wrong length.
    #[error("`{1}` is not a {0} checksum")]
    Malformed(String, String),
}

impl Checksum {
    /// Reads the type and the hex digits in the form of metadata.
    pub fn parse(algorithm: &str, hex: &str) -> Result<Self, ChecksumError> {
        let (parsed, length) = match algorithm {
            "sha" | "sha1" => (Algorithm::Sha1, 40),
            "sha256" => (Algorithm::Sha256, 64),
            "sha384" => (Algorithm::Sha384, 96),
            "sha512" => (Algorithm::Sha512, 128),
            other => return Err(ChecksumError::Algorithm(other.to_owned())),
        };
        if hex.len() != length || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ChecksumError::Malformed(algorithm.to_owned(), hex.to_owned()));
        }
        Ok(Self { algorithm: parsed, hex: hex.to_ascii_lowercase() })
    }

    /// The hex digits, in lower case.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The SHA-256 digest, if the algorithm is SHA-256.
    pub fn sha256(&self) -> Option<bundle_format::Digest> {
        (self.algorithm == Algorithm::Sha256)
            .then(|| bundle_format::Digest::from_hex(&self.hex).ok())
            .flatten()
    }

    /// Whether this is the checksum of all bytes of `reader`.
    pub fn matches(&self, reader: &mut impl Read) -> io::Result<bool> {
        let found = match self.algorithm {
            Algorithm::Sha1 => hash::<Sha1>(reader)?,
            Algorithm::Sha256 => hash::<Sha256>(reader)?,
            Algorithm::Sha384 => hash::<Sha384>(reader)?,
            Algorithm::Sha512 => hash::<Sha512>(reader)?,
        };
        Ok(found == self.hex)
    }
}

impl From<bundle_format::Digest> for Checksum {
    fn from(digest: bundle_format::Digest) -> Self {
        Self { algorithm: Algorithm::Sha256, hex: digest.hex() }
    }
}

fn hash<H: sha2::Digest>(reader: &mut impl Read) -> io::Result<String> {
    let mut hasher = H::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hex::encode(hasher.finalize())),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithm = match self.algorithm {
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha512 => "sha512",
        };
        write!(f, "{algorithm}:{}", self.hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_matches_its_own_hash_only() {
        let empty = [
            ("sha", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("sha1", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"),
            ("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ];
        for (algorithm, hex) in empty {
            let checksum = Checksum::parse(algorithm, hex).unwrap();
            assert!(checksum.matches(&mut &b""[..]).unwrap());
            assert!(!checksum.matches(&mut &b"x"[..]).unwrap());
        }
        assert!(matches!(
            Checksum::parse("md5", &"0".repeat(32)),
            Err(ChecksumError::Algorithm(_))
        ));
        assert!(Checksum::parse("sha256", "00").is_err());
        assert!(Checksum::parse("sha1", &"é".repeat(20)).is_err());
    }
}
