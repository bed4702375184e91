//! What kind of file some bytes are, by how they begin: for errors about a wrong
//! file.

use std::fmt;

use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};

/// The result of [`what`] for an armored OpenPGP key.
pub const OPENPGP_KEY: &str = "an OpenPGP public key";
/// The result of [`what`] for an unknown file.
pub const UNKNOWN: &str = "no text of a kind that is known";

/// Bytes by which files of programs are recognised, and their offset.
const MARKS: [(usize, &[u8], &str); 11] = [
    (0, b"\x1f\x8b", "data packed by gzip"),
    (0, b"\x28\xb5\x2f\xfd", "data packed by zstd"),
    (0, b"\xfd7zXZ", "data packed by xz"),
    (0, b"BZh", "data packed by bzip2"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"\xed\xab\xee\xdb", "an RPM package"),
    (0, b"\xff\xfe", "text in UTF-16, not in UTF-8"),
    (0, b"\xfe\xff", "text in UTF-16, not in UTF-8"),
    (257, b"ustar", "a tar archive, as a bundle is one"),
    (0, b"\x80\x02", "data of Python"),
];

/// The result of [`what`] for a line of ssh's `.pub` files and `authorized_keys`.
const SSH_KEY: &str = "a public key of ssh";

/// What [`what`] calls a kubeconfig.
pub const KUBECONFIG: &str = "a kubeconfig";
/// What [`what`] calls a join file.
pub const JOIN_FILE: &str = "a join file";
/// What [`what`] calls the checksums beside a bundle.
pub const SUMS: &str = "a list of checksums, for sha256sum";

/// How a line of a text begins by which it is recognised.
const LINES: [(&str, &str); 17] = [
    ("-----BEGIN PGP PUBLIC KEY BLOCK", OPENPGP_KEY),
    ("-----BEGIN PGP PRIVATE KEY BLOCK", "an OpenPGP private key, which must stay where it was"),
    ("-----BEGIN PGP SIGN", "an OpenPGP signature"),
    ("-----BEGIN PGP MESSAGE", "an encrypted OpenPGP message"),
    ("-----BEGIN CERTIFICATE REQUEST", "a request for a certificate"),
    ("-----BEGIN CERTIFICATE", "a certificate in PEM form"),
    ("-----BEGIN TRUSTED CERTIFICATE", "a certificate in openssl's own form"),
    ("-----BEGIN PUBLIC KEY", "a public key in PEM form, of which no certificate says whose it is"),
    ("-----BEGIN OPENSSH PRIVATE KEY", "a private key of ssh"),
    ("-----BEGIN", "a private key in PEM form, which must stay where it was"),
    ("ssh-", SSH_KEY),
    ("ecdsa-sha2-", SSH_KEY),
    ("sk-ssh-", SSH_KEY),
    ("sk-ecdsa-", SSH_KEY),
    ("<!doctype html", "an HTML page, as servers send one instead of a file"),
    ("<html", "an HTML page, as servers send one instead of a file"),
    ("#!", "a script"),
];

/// Keys by which YAML and JSON documents are recognised. All keys of a row must be
/// there, unindented in YAML, or at the first level of JSON.
const KEYS: [(&[&str], &str); 11] = [
    (&["clusters", "contexts"], KUBECONFIG),
    (&["caCertHash", "token"], JOIN_FILE),
    (&["lockVersion"], "a lock, which `bundler lock` writes"),
    (&["kubernetes", "targets"], "a bundle's spec"),
    (&["auths"], "a login file of docker or podman"),
    (&["apiVersion", "kind"], "an object of Kubernetes"),
    (&["podCidr"], "a cluster file"),
    (&["serviceCidr"], "a cluster file"),
    (&["ntpServers"], "a cluster file"),
    (&["nodes"], "a cluster file"),
    (&["endpoint"], "a cluster file"),
];

/// The kind of file that has these bytes, in words: `a kubeconfig`.
pub fn what(bytes: &[u8]) -> &'static str {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return "empty";
    }
    let mark = MARKS
        .iter()
        .find(|(at, mark, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
    if let Some((.., words)) = mark {
        return words;
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return UNKNOWN };
    let text = text.trim_start_matches('\u{feff}');
    if text.contains('\0') {
        return UNKNOWN;
    }
    // A vendor may put text before a key. Other texts begin with their mark.
    for (begin, words) in LINES {
        let begins =
            |line: &str| line.get(..begin.len()).is_some_and(|own| own.eq_ignore_ascii_case(begin));
        let found = match begin.starts_with("-----") {
            true => text.lines().any(begins),
            false => begins(text.trim_start()),
        };
        if found {
            return words;
        }
    }
    let has = |key: &str| has_key(text, key);
    if let Some((_, words)) = KEYS.iter().find(|(keys, _)| keys.iter().all(|key| has(key))) {
        return words;
    }
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    if lines.next().is_some_and(|line| line.split('\t').count() >= 3) {
        return "a list of packages";
    }
    let is_sum = |line: &str| {
        line.split_once("  ").is_some_and(|(sum, _)| {
            sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    if text.lines().next().is_some_and(is_sum) {
        return SUMS;
    }
    "a text of another kind"
}

/// Whether [`what`] has found a key or a certificate of another program.
pub fn is_key(what: &str) -> bool {
    what == SSH_KEY
        || LINES.iter().any(|(begin, words)| begin.starts_with("-----") && *words == what)
}

/// Like [`what`], for the beginning of a file. It may end within a character.
pub fn what_begins(bytes: &[u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => {
            what(bytes.get(..error.valid_up_to()).unwrap_or(bytes))
        }
        _ => what(bytes),
    }
}

/// Whether there is such a key, unindented in YAML, or in JSON, which may be cut
/// short.
fn has_key(text: &str, key: &str) -> bool {
    let trimmed = text.trim_start();
    match trimmed.starts_with('{') {
        true => {
            let mut keys = Vec::new();
            let mut json = serde_json::Deserializer::from_str(trimmed);
            // Keys before an error count.
            json.deserialize_map(Keys(&mut keys)).ok();
            keys.iter().any(|own| own == key)
        }
        false => text
            .lines()
            .any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'))),
    }
}

/// Collects the keys of an object.
struct Keys<'a>(&'a mut Vec<String>);

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            self.0.push(key);
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_that_people_name_is_known() {
        let sums = format!("{}  demo.tar\n", "0a".repeat(32)).into_bytes();
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, words) in [
            (&b"\n"[..], "empty"),
            (b"\x1f\x8b\x08", "gzip"),
            (&tar, "tar archive"),
            (b"\x7fELF\x02", "a program"),
            (b"\xff\xfen\0", "UTF-16"),
            (b"\xc3\x28", "no text"),
            (b"Vendor's key:\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "an OpenPGP public key"),
            (b"-----BEGIN CERTIFICATE-----\n", "a certificate"),
            (b"-----BEGIN RSA PRIVATE KEY-----\n", "a private key"),
            (b"ssh-ed25519 AAAA me\n", "of ssh"),
            (b"ecdsa-sha2-nistp256 AAAA me\n", "of ssh"),
            (b"sk-ssh-ed25519@openssh.com AAAA me\n", "of ssh"),
            (b"<!DOCTYPE html><title>Login</title>", "an HTML page"),
            (b"apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\n", "a kubeconfig"),
            (b"apiVersion: v1\nkind: Pod\n", "an object of Kubernetes"),
            (b"token: a\ncaCertHash: b\n", "a join file"),
            (b"name: x\nkubernetes: {}\ntargets: []\n", "a bundle's spec"),
            (b"podCidr: 10.0.0.0/8\n", "a cluster file"),
            (b"{\"auths\": {}}", "a login file"),
            (b"{\"lockVersion\": 1, \"targets\": [{\"id\": \"el", "a lock, which"),
            (b"{\"other\": {\"lockVersion\": 1}, \"more\": 1}", "a text of another kind"),
            (b"bash\t5.1-1\tx86_64\n", "a list of packages"),
            (&sums, "a list of checksums"),
            (b"hello\n", "a text of another kind"),
        ] {
            assert!(what(bytes).contains(words), "{}: {words}", what(bytes));
        }
    }
}
