//! The signature of a bundle: minisign's, over `index.json`, which fixes everything in the
//! bundle. It lies beside the bundle, as `NAME.minisig`, so that the same lock gives the same
//! bundle, and a bundle can be signed where the key is.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use minisign_verify::{PublicKey, Signature};

use crate::archive::storage;
use crate::day::moment;
use crate::input;
use crate::recognise;
use crate::text::brief;

/// The most bytes of a signature. Real ones have some hundred.
const MAX_SIGNATURE: u64 = 16 << 10;

/// What is said of a bundle of which nobody was asked who signed it.
pub const NOT_ASKED: &str = "no signature was asked for, because no key is trusted here";

/// How it is asked for, for the commands that only look.
pub const HOW_TO_ASK: &str = "`--trusted-key FILE` checks it";

/// The first second of the year 10000, which no date is written for.
const YEAR_10000: u64 = 253_402_300_800;

/// The number of a key, in sixteen digits. minisign shows the same without zeros at the
/// beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(u64);

impl KeyId {
    /// The number in the bytes of a key or a signature: an algorithm of two bytes, then the
    /// number.
    fn of(base64: &str) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(base64.trim()).ok()?;
        Some(Self(u64::from_le_bytes(bytes.get(2..10)?.try_into().ok()?)))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

/// The public keys whose signatures count. With none of them, nobody looks at a signature.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys(Vec<TrustedKey>);

#[derive(Clone, Debug, PartialEq)]
struct TrustedKey {
    id: KeyId,
    /// The key as a file has it.
    line: String,
    key: PublicKey,
}

impl TrustedKey {
    fn of(line: &str) -> Option<Self> {
        let key = PublicKey::from_base64(line).ok()?;
        Some(Self { id: KeyId::of(line)?, line: line.to_owned(), key })
    }
}

/// Why a file with public keys cannot be used that is not there, and which one is meant.
const NO_KEY_FILE: &str = "there is no such file: copy the public key here from where bundles are \
                           signed; `bundler keygen KEY` made it as KEY.pub";

/// How many characters a public key has.
const PUBLIC: usize = 56;

/// Why a text is no list of public keys.
#[derive(Debug, thiserror::Error)]
#[error("line {line} is no public key of minisign: {text}")]
pub struct KeyError {
    /// The line, from 1.
    line: usize,
    /// What stands there.
    text: String,
}

/// Why a file with public keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("reading the trusted keys in {}", path.display())]
pub struct KeyFileError {
    path: PathBuf,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl TrustedKeys {
    /// The keys of a text: a key a line, with minisign's comments above them or without.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for (number, line) in text.lines().enumerate() {
            // Files with a byte order mark may have been joined.
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with("untrusted comment:") || line.starts_with('#') {
                continue;
            }
            let key = TrustedKey::of(line);
            keys.push(key.ok_or_else(|| KeyError { line: number + 1, text: shown(line) })?);
        }
        Ok(Self(keys))
    }

    /// The keys in files that a person names.
    pub fn read(files: &[PathBuf]) -> Result<Self, KeyFileError> {
        let mut all = Self::default();
        for path in files {
            let fail = |source| KeyFileError { path: path.clone(), source };
            let text = input::named_text(path, input::WRITTEN_BY_HAND);
            let text = text.map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => fail(Box::from(NO_KEY_FILE)),
                _ => fail(error.into()),
            })?;
            let keys = Self::parse(&text);
            let keys = keys.map_err(|error| fail(error.into()))?;
            if keys.is_empty() {
                return Err(fail(Box::from("it has no key")));
            }
            all.add(keys);
        }
        Ok(all)
    }

    /// Adds other keys to these.
    pub fn add(&mut self, others: Self) {
        for key in others.0 {
            if !self.0.contains(&key) {
                self.0.push(key);
            }
        }
    }

    /// The keys that `others` has too.
    #[must_use]
    pub fn common(&self, others: &Self) -> Self {
        Self(self.0.iter().filter(|key| others.0.contains(key)).cloned().collect())
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The numbers of the keys.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.0.iter().map(|own| own.id)
    }

    fn names(&self) -> String {
        self.ids().map(|id| id.to_string()).collect::<Vec<_>>().join(", ")
    }
}

/// A line that is no public key. A longer one may be a secret key, which nobody may see.
fn shown(line: &str) -> String {
    let what = recognise::what(line.as_bytes());
    if recognise::is_key(what) {
        return format!(
            "it is {what}; a public key of minisign is a line that begins with RW, and \
             `bundler keygen` makes one"
        );
    }
    match line.len() > PUBLIC {
        true => "it is longer than one, and not shown, because it may be a secret key; the public \
                 key is in the file that ends in .pub"
            .to_owned(),
        false => brief(line),
    }
}

/// What a trusted key has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The number of the key. Anybody can make another key with the same number.
    pub key: KeyId,
    /// The whole key, as `minisign -P` takes it: 56 characters of base64.
    pub public: String,
    /// When, in seconds from 1970; none if the signature does not say.
    pub at: Option<u64>,
}

impl Signed {
    /// The second in which it signed: `28 Nov 2026, 02:32:54 UTC`.
    pub fn moment(&self) -> Option<String> {
        self.time().map(moment)
    }

    /// When it signed, before the year 10000.
    pub fn time(&self) -> Option<SystemTime> {
        self.at.map(|at| UNIX_EPOCH + Duration::from_secs(at))
    }
}

/// `public key RWQ… on 28 Nov 2026, 02:32:54 UTC`. The whole key, because anybody can make another
/// one with its number.
impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "public key {}", self.public)?;
        self.moment().map_or(Ok(()), |moment| write!(f, " on {moment}"))
    }
}

/// Why the signature of a bundle does not count.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error("there is no signature {}, and only bundles count here that are signed by {keys}: copy that file too, from where the bundle was signed", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// The trusted keys.
        keys: String,
    },
    /// It cannot be read.
    #[error("reading the signature {}", path.display())]
    Unreadable {
        /// The signature.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no signature of minisign's.
    #[error("{} is no signature of minisign: copy it again from where the bundle was signed", path.display())]
    Senseless {
        /// The signature.
        path: PathBuf,
    },
    /// Another key made it.
    #[error("{} was made with the key {key}, which is not trusted here (trusted: {keys}): bring a bundle that a trusted key has signed, or, if its signer gave you that key by another way, name the key's file with --trusted-key", path.display())]
    Stranger {
        /// The signature.
        path: PathBuf,
        /// The key, as the signature has it.
        key: String,
        /// The trusted keys.
        keys: String,
    },
    /// The bundle, or the signature, is another than what was signed.
    #[error("the signature {} is not of this bundle, one of them was altered, or another key with the same number made it: bring both again from where the bundle was signed, and install nothing of them before that is clear", path.display())]
    Wrong {
        /// The signature.
        path: PathBuf,
    },
}

/// The path of the signature of the bundle at `bundle`, which may be any of its parts.
pub fn path_of(bundle: &Path) -> PathBuf {
    storage::beside(bundle, ".minisig")
}

/// The path where the signature of the bundle at `bundle` is to be read: beside it, or beside the
/// file that a link leads to.
pub fn found(bundle: &Path) -> PathBuf {
    storage::found_beside(bundle, ".minisig")
}

/// The key that the text of a signature names; none if it is no signature. Nothing is checked.
pub fn key_of(text: &str) -> Option<KeyId> {
    text.lines().nth(1).and_then(KeyId::of)
}

/// Whether a file that begins so is a signature.
pub fn begins(head: &[u8]) -> bool {
    std::str::from_utf8(head).is_ok_and(|text| Signature::decode(text).is_ok())
}

/// Checks that the signature beside `bundle` is that of a trusted key over `index`. None if
/// no key is trusted.
pub(crate) fn check(
    bundle: &Path,
    index: &[u8],
    keys: &TrustedKeys,
) -> Result<Option<Signed>, SignatureError> {
    if keys.is_empty() {
        return Ok(None);
    }
    let path = found(bundle);
    let text = match input::file_text(&path, MAX_SIGNATURE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SignatureError::Missing { path, keys: keys.names() });
        }
        Err(source) => return Err(SignatureError::Unreadable { path, source }),
        Ok(text) => text,
    };
    of_text(path, &text, index, keys).map(Some)
}

/// The same for the text of a signature, which is or will be at `path`. Without keys, no
/// signature counts.
pub fn of_text(
    path: PathBuf,
    text: &str,
    index: &[u8],
    keys: &TrustedKeys,
) -> Result<Signed, SignatureError> {
    let (Some(id), Ok(signature)) = (key_of(text), Signature::decode(text)) else {
        return Err(SignatureError::Senseless { path });
    };
    let mut known = keys.0.iter().filter(|own| own.id == id).peekable();
    if known.peek().is_none() {
        return Err(SignatureError::Stranger { path, key: id.to_string(), keys: keys.names() });
    }
    // Two keys may have the same number. A signature over the bytes themselves, and not over
    // their hash (`minisign -S -l`), counts too, as for minisign.
    let is_by = |own: &&TrustedKey| own.key.verify(index, &signature, true).is_ok();
    let Some(by) = known.find(is_by) else { return Err(SignatureError::Wrong { path }) };
    // minisign writes it into each trusted comment.
    let words = signature.trusted_comment().split_ascii_whitespace();
    let at = words.filter_map(|word| word.strip_prefix("timestamp:")?.parse().ok()).next();
    let at = at.filter(|at| *at < YEAR_10000);
    Ok(Signed { key: id, public: by.line.clone(), at })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by minisign 0.11 from the file `test` with its four bytes.
    const KEY: &str = include_str!("signature/key.pub");
    const SIGNATURE: &str = include_str!("signature/index.minisig");

    fn keys() -> TrustedKeys {
        TrustedKeys::parse(KEY).unwrap()
    }

    fn of(text: &str, index: &[u8], keys: &TrustedKeys) -> Result<Signed, String> {
        of_text("x.tar.minisig".into(), text, index, keys).map_err(|error| error.to_string())
    }

    #[test]
    fn a_signature_of_minisigns_own_program_counts() {
        let signed = of(SIGNATURE, b"test", &keys()).unwrap();
        assert_eq!(signed.key, keys().ids().next().unwrap());
        assert!(KEY.contains(&signed.key.to_string()), "{}", signed.key);
        assert_eq!(signed.at, Some(1_795_833_174));
        let words = "public key RWQzQf3CnBgvTV2fm3cIBID4El+MyKnOFDDIMxrkVntgIY2tFaxUxuBK on 28 Nov \
                     2026, 02:32:54 UTC";
        assert_eq!(signed.to_string(), words);
        assert_eq!(signed.moment().unwrap(), "28 Nov 2026, 02:32:54 UTC");
        assert_eq!(signed.public, KEY.lines().nth(1).unwrap());
    }

    /// Anybody can choose the number of a key.
    #[test]
    fn of_two_keys_with_one_number_the_one_that_signed_is_named() {
        let mut other = BASE64_STANDARD.decode(KEY.lines().nth(1).unwrap()).unwrap();
        other[10..].fill(0x51);
        let other = BASE64_STANDARD.encode(other);
        let mut both = TrustedKeys::parse(&other).unwrap();
        assert!(of(SIGNATURE, b"test", &both).unwrap_err().contains("not of this bundle"));
        both.add(keys());
        assert_eq!(
            both.ids().map(|id| id.to_string()).collect::<Vec<_>>(),
            ["4D2F189CC2FD4133"; 2]
        );
        let signed = of(SIGNATURE, b"test", &both).unwrap();
        assert_eq!(signed.public, KEY.lines().nth(1).unwrap());
    }

    #[test]
    fn a_secret_key_in_place_of_a_public_one_is_not_shown() {
        let secret = "RWQAAEIy".to_owned() + &"A1b2".repeat(51);
        let error = TrustedKeys::parse(&format!("untrusted comment: x\n{secret}\n")).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("may be a secret key") && !error.contains("A1b2"), "{error}");
    }

    #[test]
    fn a_key_of_another_program_is_called_what_it_is() {
        for (line, what) in [
            (
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA1B2c3D4e5F6g7H8 me@host",
                "a public key of ssh",
            ),
            ("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI", "a public key of ssh"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", "a private key of ssh"),
            ("-----BEGIN PGP PUBLIC KEY BLOCK-----", "an OpenPGP public key"),
        ] {
            let error = TrustedKeys::parse(&format!("\n{line}\n")).unwrap_err().to_string();
            let said = format!("line 2 is no public key of minisign: it is {what}; ");
            assert!(error.starts_with(&said) && !error.contains("AAAA"), "{error}");
            assert!(error.ends_with("`bundler keygen` makes one"), "{error}");
        }
    }

    #[test]
    fn whatever_is_altered_the_signature_does_not_count() {
        assert!(of(SIGNATURE, b"tesu", &keys()).unwrap_err().contains("not of this bundle"));
        let mut accepted = 0;
        for place in 0..SIGNATURE.len() {
            let mut text = SIGNATURE.as_bytes().to_vec();
            text[place] = if text[place] == b'A' { b'B' } else { b'A' };
            if let Ok(text) = String::from_utf8(text) {
                // The first line is a comment that nobody signs.
                accepted += usize::from(of(&text, b"test", &keys()).is_ok());
            }
        }
        let first = SIGNATURE.lines().next().unwrap().len();
        assert_eq!(accepted, first, "only the first line may change");
        for cut in 0..SIGNATURE.trim_end().len() {
            assert!(of(&SIGNATURE[..cut], b"test", &keys()).is_err(), "{cut}");
        }
    }

    #[test]
    fn another_key_is_named() {
        let other = "RWRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR";
        let others = TrustedKeys::parse(other).unwrap();
        let said = of(SIGNATURE, b"test", &others).unwrap_err();
        assert!(said.contains(&keys().names()) && said.contains(&others.names()), "{said}");
        let mut both = others;
        both.add(keys());
        both.add(keys());
        assert_eq!(both.ids().count(), 2, "each once");
        assert!(of(SIGNATURE, b"test", &both).is_ok());
    }

    #[test]
    fn keys_from_windows_are_read_also_after_they_were_joined() {
        let marked = format!("\u{feff}{}", KEY.replace('\n', "\r\n"));
        let other = "\u{feff}RWRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR\r\n";
        assert_eq!(TrustedKeys::parse(&marked).unwrap().ids().count(), 1);
        assert_eq!(TrustedKeys::parse(&(marked + other)).unwrap().ids().count(), 2);
    }

    #[test]
    fn a_text_that_is_no_key_is_told_with_its_line() {
        let said = TrustedKeys::parse(&format!("{KEY}\nnonsense\n")).unwrap_err().to_string();
        assert_eq!(said, "line 4 is no public key of minisign: nonsense");
        assert!(TrustedKeys::parse("").unwrap().is_empty());
    }
}
