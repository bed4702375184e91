//! Packages that vendors signed, each with something odd in it: in its headers, its digests,
//! its signatures, or in how their bytes are laid out. What is odd in a header may be signed
//! with it, or come later.

mod header;
mod signature;

use fastrand::Rng;
use pgp::crypto::hash::HashAlgorithm;

use self::header::{BYTES, Entry, INT32, TEXT, TEXTS};
use super::{one_of, rarely};
use crate::vendor::Signer;

/// A package of rpmbuild 4.18, without the room that it keeps for signatures.
const SMALL: &[u8] = include_bytes!("../../../seeds/package_signature/small.rpm");
const LEAD: usize = 96;

/// The region's tags of both headers.
const SIGNATURES: u32 = 62;
const IMMUTABLE: u32 = 63;

/// A package with something odd.
pub fn odd(rng: &mut Rng) -> Vec<u8> {
    let is_odd = std::array::from_fn(|_| rarely(3, rng));
    package(is_odd, rng)
}

/// A package without faults.
pub fn good() -> Vec<u8> {
    package([false; 5], &mut Rng::with_seed(1))
}

/// What may be odd: the main header's values and its index, the signatures, the signature
/// header's values and index, the bytes of the whole.
fn package(odd: [bool; 5], rng: &mut Rng) -> Vec<u8> {
    let [odd_values, odd_index, odd_signatures, odd_tags, odd_bytes] = odd;
    let (lead, rest) = SMALL.split_at(LEAD);
    let rest = &rest[header::length(rest).next_multiple_of(8)..];
    let (main, payload) = rest.split_at(header::length(rest));
    let mut payload = payload.to_vec();

    let mut entries = header::read(main);
    if odd_values {
        values(&mut entries, &mut payload, rng);
    }
    let mut main = header::write(&entries, IMMUTABLE, 0);
    if odd_index && rng.bool() {
        header::break_index(&mut main, rng);
    }
    let mut tags = signature_tags(&main, &payload, odd_signatures, rng);
    let mut outside = 0;
    if odd_tags {
        for _ in 0..rng.u32(1..3) {
            header::shuffle(&mut tags, rng);
        }
        outside = if rarely(4, rng) { rng.usize(..=tags.len()) } else { 0 };
    }
    let region =
        if odd_tags && rarely(8, rng) { one_of(&[61, IMMUTABLE, 64], rng) } else { SIGNATURES };
    let mut signatures = header::write(&tags, region, outside);
    if odd_index && rng.bool() {
        header::break_index(&mut signatures, rng);
    }
    signatures.resize(signatures.len().next_multiple_of(8), 0);
    let mut all = [lead, &signatures, &main, &payload].concat();
    if odd_bytes && rng.bool() {
        bytes(&mut all, rng);
    }
    all
}

/// Changes values of the main header, before it is signed.
fn values(entries: &mut Vec<Entry>, payload: &mut Vec<u8>, rng: &mut Rng) {
    const DIGEST: u32 = 5092;
    const ALGORITHM: u32 = 5093;
    const UNPACKED: u32 = 5097;
    let right = hex(HashAlgorithm::Sha256, &[payload]);
    let is_of_payload = |entry: &Entry| matches!(entry.tag, DIGEST | UNPACKED);
    match rng.u32(..12) {
        // As rpm before 4.14 made it.
        0 | 1 => entries.retain(|entry| !is_of_payload(entry)),
        2 => entries.retain(|entry| entry.tag != DIGEST),
        3 => entries.retain(|entry| entry.tag != UNPACKED),
        4 => {
            let mut algorithms = entries.iter_mut().filter(|entry| entry.tag == ALGORITHM);
            let algorithm = one_of(&[0_u32, 1, 2, 9, 10, 99], rng);
            algorithms.by_ref().for_each(|entry| entry.data = algorithm.to_be_bytes().to_vec());
        }
        5 => {
            entries.retain(|entry| !is_of_payload(entry));
            entries.push(Entry::new(UNPACKED, TEXTS, right.as_bytes()));
        }
        6 => {
            // Digests of newer kinds.
            let tag = one_of(&[5120, 5121, 5122, 5123], rng);
            entries.push(Entry::new(tag, TEXTS, hex(HashAlgorithm::Sha512, &[payload]).as_bytes()));
        }
        7 => payload.push(0),
        8 => {
            let mut of_payload: Vec<Entry> =
                entries.iter().filter(|one| is_of_payload(one)).cloned().collect();
            header::shuffle(&mut of_payload, rng);
            entries.retain(|entry| !is_of_payload(entry));
            entries.extend(of_payload);
        }
        _ => header::shuffle(entries, rng),
    }
}

fn hex(hash: HashAlgorithm, parts: &[&[u8]]) -> String {
    let bytes = hash.digest(&parts.concat()).expect("it is known");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The entries of the signature header, by their tags.
fn signature_tags(main: &[u8], payload: &[u8], odd: bool, rng: &mut Rng) -> Vec<Entry> {
    let both = [main, payload].concat();
    let size = (both.len() as u32).to_be_bytes();
    let md5 = HashAlgorithm::Md5.digest(&both).expect("it is known");
    let mut tags = vec![
        Entry::new(269, TEXT, hex(HashAlgorithm::Sha1, &[main]).as_bytes()),
        Entry::new(273, TEXT, hex(HashAlgorithm::Sha256, &[main]).as_bytes()),
        Entry::new(1000, INT32, &size),
        Entry::new(1004, BYTES, &md5),
    ];
    if odd && rarely(3, rng) {
        // Some digests are missing.
        tags.retain(|_| rng.bool());
    }
    let trusted = [Signer::Rsa, Signer::Edwards, Signer::Subkey];
    for _ in 0..one_of(if odd { &[0, 1, 1, 2, 3][..] } else { &[1, 1, 2] }, rng) {
        let signer = match odd && rarely(6, rng) {
            true => Signer::Stranger,
            false => one_of(&trusted, rng),
        };
        let is_over_both = rng.bool();
        let mut tag = match (signer, is_over_both) {
            (Signer::Rsa, false) => 268,
            (Signer::Rsa, true) => 1002,
            (_, false) => 267,
            (_, true) => 1005,
        };
        if odd && rarely(8, rng) {
            tag = one_of(&[267, 268, 1002, 1005, 278, 259], rng);
        }
        if tags.iter().any(|entry| entry.tag == tag) && !rarely(8, rng) {
            continue;
        }
        let content = match odd && rarely(10, rng) {
            true => payload,
            false if is_over_both => &both,
            false => main,
        };
        tags.push(Entry::new(tag, BYTES, &signature::packets(content, signer, odd, rng)));
    }
    tags.sort_by_key(|entry| entry.tag);
    tags
}

/// Damages what is finished.
fn bytes(all: &mut Vec<u8>, rng: &mut Rng) {
    let at = rng.usize(..all.len());
    match rng.u32(..6) {
        0 => all.push(0),
        1 => all.truncate(at),
        2 => {
            let lead = rng.usize(..LEAD);
            all[lead] ^= 1 << rng.u32(..8);
        }
        3 => drop(all.remove(at)),
        4 => all.insert(at, 0),
        _ => all[at] ^= 1 << rng.u32(..8),
    }
}
