//! SHA-256 digests, which name everything in a bundle.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::text::serde_as_text;

/// A SHA-256 digest, written `sha256:<64 lower-case hex digits>` (OCI image spec,
/// `descriptor.md`, "Digests"). A bundle uses no other algorithm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is not a digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a digest of the form sha256:<64 lower-case hex digits>")]
pub struct DigestError(String);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of all bytes of `reader`, and their number.
    pub fn of_reader(reader: &mut impl Read) -> io::Result<(Self, u64)> {
        let (mut hasher, mut size) = (Hasher::new(), 0);
        // `io::copy` would ask for 8 KiB at a time.
        let mut buffer = vec![0; 256 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok((hasher.finish(), size)),
                Ok(count) => {
                    hasher.update(buffer.get(..count).unwrap_or_default());
                    size += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads 64 hex digits without `sha256:` before them, as repodata and
    /// `sha256sum` write a digest.
    pub fn from_hex(text: &str) -> Result<Self, DigestError> {
        let malformed = || DigestError(text.to_owned());
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| malformed())?;
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(malformed());
        }
        Ok(Self(bytes))
    }

    /// The 64 hex digits, without `sha256:` before them.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.strip_prefix("sha256:")
            .and_then(|hex| Self::from_hex(hex).ok())
            .ok_or_else(|| DigestError(text.to_owned()))
    }
}

serde_as_text!(Digest);

/// A writer that hashes its input and keeps none of it.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// A hasher that has no input yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `bytes` to the input.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all input.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads bytes whose digest and size are known. It gives the last bytes only if all of
/// them have that digest. Who reads to the end without an error has read the right
/// bytes. Nobody may use any of the bytes before that.
pub struct Checked<R> {
    inner: R,
    digest: Digest,
    hasher: Option<Hasher>,
    left: u64,
}

impl<R: Read> Checked<R> {
    /// The first `size` bytes of `inner`.
    pub fn new(inner: R, digest: Digest, size: u64) -> Self {
        Self { inner, digest, hasher: Some(Hasher::new()), left: size }
    }

    /// How many bytes are still to be read.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let window = buffer.get_mut(..wanted).unwrap_or_default();
        let count = self.inner.read(window)?;
        if count == 0 && self.left > 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(window.get(..count).unwrap_or_default());
        }
        if self.left == 0
            && let Some(hasher) = self.hasher.take()
        {
            let found = hasher.finish();
            if found != self.digest {
                self.digest = found;
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("it has the digest {found}"),
                ));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn reads_and_writes_both_forms() {
        let digest = Digest::of(b"");
        assert_eq!(digest.to_string(), format!("sha256:{EMPTY}"));
        assert_eq!(digest, format!("sha256:{EMPTY}").parse().unwrap());
        assert_eq!(digest, Digest::from_hex(EMPTY).unwrap());
        assert_eq!(Digest::of_reader(&mut &b""[..]).unwrap(), (digest, 0));
    }

    #[test]
    fn refuses_what_is_not_a_digest() {
        let upper = format!("sha256:{}", EMPTY.to_uppercase());
        let long = format!("sha256:{EMPTY}00");
        for text in ["", "sha256:", EMPTY, "md5:00", "sha512:00", &upper, &long] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
