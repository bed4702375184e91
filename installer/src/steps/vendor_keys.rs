//! The vendors' keys in rpm's database. A renewed key is the same key with a later
//! expiry date, and `rpm --import` does not replace the old copy. So the old copy is
//! erased first, and kept for a reset.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::Digest;
use bundle_format::lock::Descriptor;

use crate::exec::Command;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::node::paths::KEYS_BEFORE;
use crate::node::rpm;
use crate::receipt::{self, Deed, Intention};
use crate::steps::file::file;

/// The first line of an armored key (RFC 4880, 6.2).
const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// The changes for a bundle's keys, each with its path on the node.
pub(super) fn changes(
    node: &Node<'_>,
    files: &[(PathBuf, Descriptor)],
) -> anyhow::Result<Vec<Change>> {
    let mut keys = Vec::new();
    for (path, descriptor) in files {
        keys.push((path, blocks(&node.intent.bundle.read(descriptor)?)));
    }
    let fingerprints = node.intent.target.repositories.iter().flat_map(|one| &one.keys);
    let ids = fingerprints.filter_map(|print| print.get(print.len().saturating_sub(8)..));
    let names: BTreeSet<String> =
        ids.map(|id| format!("gpg-pubkey-{}", id.to_lowercase())).collect();
    let mut missing = Vec::new();
    let mut changes = Vec::new();
    for name in &names {
        let copies = copies(node.host, name)?;
        if copies.is_empty() {
            missing.push(name);
        }
        for (whole_name, text) in copies {
            let [copy] = blocks(text.as_bytes()).try_into().unwrap_or_default();
            let all = || keys.iter().flat_map(|(_, blocks)| blocks);
            let Some(key) = public_key(&copy) else { continue };
            if all().any(|block| has_certificate(block, &copy)) {
                continue;
            }
            // Another key may have the same last digits.
            let is_of = |block: &Vec<u8>| block.windows(key.len()).any(|part| part == key);
            let Some((path, _)) = keys.iter().find(|(_, blocks)| blocks.iter().any(is_of)) else {
                continue;
            };
            if !was_imported(node.host, path) {
                changes.extend(replace(node.host, &whole_name, &text, path)?);
            }
        }
    }
    // Last, so that none of these is a copy that is replaced above.
    if !missing.is_empty() {
        let command = files.iter().fold(Command::of("rpm --import"), |command, (path, _)| {
            command.with(path.to_string_lossy())
        });
        let undo = missing.iter().map(|name| erase(name)).collect();
        let files = files.iter().map(|(path, _)| path.clone()).collect();
        let intention = Some(Intention::ImportKeys { files });
        changes.push(Change::Run { command, undo, files: Vec::new(), intention });
    }
    Ok(changes)
}

fn erase(name: &str) -> Command {
    Command::of("rpm --erase --").with(name)
}

/// Erases a copy from rpm's database, and imports the bundle's.
fn replace(host: &Host, name: &str, text: &str, path: &Path) -> anyhow::Result<Vec<Change>> {
    let digest = Digest::of(text.as_bytes()).to_string();
    let kept = format!("{KEYS_BEFORE}/{}.asc", digest.trim_start_matches("sha256:"));
    let import = |path: &Path| Command::of("rpm --import").with(path.to_string_lossy());
    let run = |command, undo, intention| Change::Run {
        command,
        undo: vec![undo],
        files: Vec::new(),
        intention,
    };
    let mut changes = file(host, &kept, text)?;
    changes.push(run(erase(name), import(Path::new(&kept)), None));
    let imported = Intention::ImportKeys { files: vec![path.to_owned()] };
    changes.push(run(import(path), erase(name), Some(imported)));
    Ok(changes)
}

/// Whether the bundle's file was imported since it was written. rpm may store it in
/// another form.
fn was_imported(host: &Host, file: &Path) -> bool {
    let deeds = receipt::remaining(host.lines());
    let wrote = |deed: &&Deed| matches!(deed, Deed::Wrote { path, .. } if path == file);
    let imported = |deed: &&Deed| match deed.intention() {
        Some(Intention::ImportKeys { files }) => files.iter().any(|one| one == file),
        _ => false,
    };
    deeds.iter().rposition(imported) > deeds.iter().rposition(wrote)
}

/// The copies that rpm has under a key's name, each with its full name.
fn copies(host: &Host, name: &str) -> anyhow::Result<Vec<(String, String)>> {
    let format = "%{NAME}-%{VERSION}-%{RELEASE}\\n%{DESCRIPTION}\\n";
    let command = Command::of("rpm -q --qf").with(format).with("--").with(name);
    let said = rpm::query(host, &command)?.unwrap_or_default();
    let mut copies: Vec<(String, String)> = Vec::new();
    for line in said.lines() {
        match copies.last_mut() {
            Some((_, text)) if !line.starts_with("gpg-pubkey-") => {
                // rpm's format adds a line break after the armor's
                // own.
                if line.is_empty() && text.contains(END) {
                    continue;
                }
                text.push_str(line);
                text.push('\n');
            }
            _ => copies.push((line.to_owned(), String::new())),
        }
    }
    Ok(copies)
}

/// The OpenPGP packets of a key file: of each armored block, or of the binary file
/// itself.
fn blocks(file: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(file);
    let parts = text.split(BEGIN).skip(1);
    let blocks: Vec<Vec<u8>> = parts.filter_map(decoded).collect();
    if blocks.is_empty() { vec![file.to_owned()] } else { blocks }
}

/// Decodes the text after an armor's first line: headers, an empty line, base64, a
/// checksum.
fn decoded(armor: &str) -> Option<Vec<u8>> {
    let lines = armor.lines().skip(1).map(str::trim).skip_while(|line| !line.is_empty());
    let body = lines.take_while(|line| !line.starts_with(['=', '-']));
    STANDARD.decode(body.collect::<String>()).ok()
}

/// The body of the public key packet, with which a certificate begins (RFC 4880,
/// 4.2).
fn public_key(packets: &[u8]) -> Option<&[u8]> {
    let (&head, rest) = packets.split_first()?;
    let byte = |at: usize| rest.get(at).map(|byte| usize::from(*byte));
    let (start, length) = match (head, byte(0)?) {
        (0x98, length) => (1, length),
        (0x99, high) => (2, high << 8 | byte(1)?),
        (0xc6, length @ ..192) => (1, length),
        (0xc6, high @ 192..224) => (2, ((high - 192) << 8) + byte(1)? + 192),
        _ => return None,
    };
    let body = rest.get(start..start + length)?;
    (body.len() > 16).then_some(body)
}

/// Whether packets contain exactly this certificate.
fn has_certificate(packets: &[u8], whole: &[u8]) -> bool {
    let mut at = packets.windows(whole.len()).enumerate().filter(|(_, part)| *part == whole);
    at.any(|(at, _)| {
        let rest = packets.get(at + whole.len()..).unwrap_or_default();
        rest.is_empty() || public_key(rest).is_some()
    })
}
