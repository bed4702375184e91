//! Signing a bundle with a key of minisign's: `NAME.minisig` beside it, over its
//! `index.json`. `minisign -V` checks it as well.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Cursor, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bundle_format::archive::reader::Bundle;
use bundle_format::signature::TrustedKeys;
use bundle_format::{Digest, durable, input, output, signature};
use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};
use tempfile::NamedTempFile;

use crate::build::write_file;

/// The permission bits of a secret key.
const SECRET: u32 = 0o600;
/// The permission bits of a public key; the umask may remove some.
const PUBLIC: u32 = 0o644;

/// The bytes of a secret key (minisign's page, "Secret key format").
const LENGTH: usize = 158;
/// The bytes of its checksum, which are the last.
const CHECKSUM: usize = 32;
/// The first bytes of a key that is not encrypted: the algorithm, and none that encrypts.
const WITHOUT_PASSWORD: &[u8] = b"Ed\0\0";

/// A new pair of keys: the secret one in a file for its owner only, the public one beside it
/// as `KEY.pub`. Without a password, whoever has the file can sign. Fails if one of the
/// files exists. Whatever happens, there is no secret key whose public one is missing.
pub fn generate(path: &Path, password: Option<String>) -> anyhow::Result<PathBuf> {
    if path.as_os_str() == "-" {
        bail!("a pair of keys is two files, and cannot go to standard output: name a file");
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    let public = PathBuf::from(name);
    if let Some(taken) = [path, &public].into_iter().find(|path| path.symlink_metadata().is_ok()) {
        bail!("{} exists already: a key is never replaced; choose another name", taken.display());
    }
    output::existing_folder(path)
        .and_then(|_| output::check_folders(path))
        .with_context(|| format!("writing {}", path.display()))?;
    let pair = match password {
        Some(password) => KeyPair::generate_encrypted_keypair(Some(password)),
        None => KeyPair::generate_unencrypted_keypair(),
    };
    let pair = pair.context("making the keys")?;
    let secret = pair.sk.to_box(Some("Kubeferry: signs bundles")).context("making the keys")?;
    let text = pair.pk.to_box().context("making the keys")?.to_bytes();
    let files = [(path, SECRET, secret.into_string().into_bytes()), (&public, PUBLIC, text)];
    let written = files.map(|(path, mode, text)| {
        let file = unnamed(path, mode, &text);
        file.with_context(|| format!("writing {}", path.display()))
    });
    let [secret, own] = written;
    let secret = secret?;
    let naming = |path: &Path| format!("writing {}", path.display());
    own?.persist_noclobber(&public).with_context(|| naming(&public))?;
    if let Err(error) = secret.persist_noclobber(path) {
        // Only this process has made it.
        drop(fs::remove_file(&public));
        return Err(error).with_context(|| naming(path));
    }
    Ok(public)
}

/// A file with this text, on the disk, which has no name of its own yet.
fn unnamed(path: &Path, mode: u32, text: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = durable::unnamed(path, OsStr::new("."), mode)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The key in a file. `password` is asked for if the key has one.
pub fn read(
    path: &Path,
    password: impl FnOnce() -> anyhow::Result<String>,
) -> anyhow::Result<SecretKey> {
    let reading = || format!("reading the key {}", path.display());
    let text = match input::named_text(path, input::WRITTEN_BY_HAND) {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "there is no key {}: name the file of the secret key, or make a pair of keys with \
             `bundler keygen`",
            path.display()
        ),
        text => text.with_context(reading)?,
    };
    let bytes = text.lines().nth(1).and_then(|line| BASE64_STANDARD.decode(line.trim()).ok());
    let Some(bytes) = bytes.filter(|bytes| bytes.len() == LENGTH) else {
        if TrustedKeys::parse(&text).is_ok_and(|keys| !keys.is_empty()) {
            bail!(
                "{} is a public key, which only checks: name the secret key, whose file has the \
                 same name without .pub",
                path.display()
            );
        }
        bail!("{} is no secret key of minisign: `bundler keygen` makes one", path.display());
    };
    let key = SecretKeyBox::from_string(&text).with_context(reading)?;
    if !bytes.starts_with(WITHOUT_PASSWORD) {
        let password = password()?;
        return key.into_secret_key(Some(password)).with_context(reading);
    }
    // minisign 0.11 writes no checksum into a key without a password.
    if bytes.ends_with(&[0; CHECKSUM]) {
        return SecretKey::from_bytes(&bytes).with_context(reading);
    }
    key.into_unencrypted_secret_key().with_context(reading)
}

/// A signature that was written.
#[derive(Debug)]
pub struct Written {
    /// Its path.
    pub path: PathBuf,
    /// What it replaced, in words; none if there was nothing.
    pub replaced: Option<String>,
}

/// Signs the bundle, which is at `path`. Who calls this has read all of it: a signature says
/// that somebody approved its bytes.
pub fn sign(
    bundle: &Bundle,
    path: &Path,
    key: &SecretKey,
    now: SystemTime,
) -> anyhow::Result<Written> {
    let signature = signature::path_of(path);
    let at = now.duration_since(UNIX_EPOCH).context("the clock is before 1970")?.as_secs();
    let (name, lock) = (&bundle.lock().name, bundle.lock_digest());
    let trusted = format!("timestamp:{at}\tfile:index.json\thashed\tname:{name}\tlock:{lock}");
    // A key that is damaged makes signatures that are wrong.
    let public = PublicKey::from_secret_key(key).context("reading the key")?;
    let signed = minisign::sign(
        Some(&public),
        key,
        Cursor::new(bundle.index()),
        Some(&trusted),
        Some("signature of a bundle's index.json"),
    );
    let signed = signed.with_context(|| format!("signing {}", path.display()))?;
    let replaced = replaced(&signature, bundle, &public);
    write_file(&signature, signed.into_string().as_bytes())?;
    Ok(Written { path: signature, replaced })
}

/// What the new signature replaces, in words. A bundle has one signature only, so nodes that
/// trust only the older key take it no longer.
fn replaced(path: &Path, bundle: &Bundle, own: &PublicKey) -> Option<String> {
    let text = match input::file_text(path, input::WRITTEN_BY_HAND) {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        text => text.unwrap_or_default(),
    };
    let keys = TrustedKeys::parse(&own.to_base64()).unwrap_or_default();
    let is_by_own = signature::of_text(path.into(), &text, bundle.index(), &keys).is_ok();
    let what = match signature::key_of(&text) {
        _ if is_by_own => "an older signature of this bundle by the same key".to_owned(),
        // Of another bundle, or by a key that has the number of another one.
        Some(key) if keys.ids().any(|own| own == key) => {
            format!(
                "which has the number of the same key, {key}, and is no signature of this bundle by it"
            )
        }
        Some(key) => {
            format!(
                "a signature by the key {key}: nodes that trust only that key refuse the bundle now"
            )
        }
        None => "which was no signature of minisign".to_owned(),
    };
    Some(format!("replaced {}, {what}", path.display()))
}

/// Whether a signature says that it is of a bundle with another lock. Those of minisign's
/// own program do not say.
pub fn is_of_another(text: &[u8], bundle: &Bundle) -> bool {
    let text = String::from_utf8_lossy(text);
    let mut locks = text.split_ascii_whitespace().filter_map(|word| word.strip_prefix("lock:"));
    locks.any(|lock| lock != bundle.lock_digest().to_string())
}

/// The signature beside the bundle at `path`, if it does not name this lock. A build leaves
/// it there, but it does not count for the new bundle.
pub fn outdated(path: &Path, lock: Digest) -> Option<PathBuf> {
    let signature = signature::path_of(path);
    let text = input::file_text(&signature, input::WRITTEN_BY_HAND).ok()?;
    (!text.contains(&format!("lock:{lock}"))).then_some(signature)
}
