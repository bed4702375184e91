//! Signatures of OpenPGP (RFC 4880, 5.2), byte by byte, so that each part can be odd.

use fastrand::Rng;
use pgp::crypto::hash::HashAlgorithm;
use pgp::types::{Password, SignatureBytes, SigningKey};

use crate::grammar::{one_of, rarely};
use crate::vendor::{MADE, Signer, VENDORS};

/// The types of subpackets that are made here.
const CREATED: u8 = 2;
const EXPIRES: u8 = 3;
const KEY_ID: u8 = 16;
const FINGERPRINT: u8 = 33;
const CRITICAL: u8 = 0x80;

/// The signatures of a tag: mostly one packet without faults.
pub(super) fn packets(content: &[u8], signer: Signer, odd: bool, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = packet(content, signer, odd, rng);
    if !odd {
        return bytes;
    }
    match rng.u32(..12) {
        0 => bytes.extend(b"\0\0"),
        1 => bytes.truncate(rng.usize(..bytes.len())),
        2 => {
            let other = one_of(&[Signer::Rsa, Signer::Stranger, signer], rng);
            let content = if rng.bool() { content } else { b"other bytes" };
            let other = packet(content, other, false, rng);
            bytes = if rng.bool() { [other, bytes].concat() } else { [bytes, other].concat() };
        }
        // A marker (RFC 4880, 5.8), or a packet that nobody knows.
        3 => bytes = [&[0xca, 3, b'P', b'G', b'P'][..], &bytes].concat(),
        4 => bytes = [&[0xfc, 1, 0][..], &bytes].concat(),
        5 => {
            let at = rng.usize(..bytes.len());
            bytes[at] ^= 1 << rng.u32(..8);
        }
        _ => {}
    }
    bytes
}

fn packet(content: &[u8], signer: Signer, odd: bool, rng: &mut Rng) -> Vec<u8> {
    let key = VENDORS.key(signer);
    let hash = match odd && rarely(4, rng) {
        true => one_of(
            &[
                HashAlgorithm::Sha1,
                HashAlgorithm::Md5,
                HashAlgorithm::Sha512,
                HashAlgorithm::Sha224,
            ],
            rng,
        ),
        false => one_of(&[HashAlgorithm::Sha256, HashAlgorithm::Sha512], rng),
    };
    let kind = if odd && rarely(6, rng) { one_of(&[1, 2, 0x10, 0x18, 0x50], rng) } else { 0 };
    let body = match odd && rarely(8, rng) {
        true => third(content, key, hash, kind),
        false => fourth(content, key, hash, kind, odd, rng),
    };
    framed(&body, odd, rng)
}

fn id(key: &dyn SigningKey) -> Vec<u8> {
    key.legacy_key_id().as_ref().to_vec()
}

fn digest(hash: HashAlgorithm, parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = hash.new_hasher().expect("it is known");
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().to_vec()
}

/// The numbers of a signature.
fn signed(key: &dyn SigningKey, hash: HashAlgorithm, digest: &[u8]) -> Vec<u8> {
    // The library makes no signatures over hashes that can be forged.
    let Ok(SignatureBytes::Mpis(numbers)) = key.sign(&Password::empty(), hash, digest) else {
        return vec![0, 1, 1];
    };
    let mut bytes = Vec::new();
    for number in &numbers {
        let number = number.as_ref();
        let bits =
            number.len() * 8 - number.first().map_or(0, |first| first.leading_zeros() as usize);
        bytes.extend((bits as u16).to_be_bytes());
        bytes.extend(number);
    }
    bytes
}

/// A signature of version 3, which has no subpackets.
fn third(content: &[u8], key: &dyn SigningKey, hash: HashAlgorithm, kind: u8) -> Vec<u8> {
    let made = (MADE + 100).to_be_bytes();
    let digest = digest(hash, &[content, &[kind], &made]);
    let mut body = vec![3, 5, kind];
    body.extend(made);
    body.extend(id(key));
    body.extend([u8::from(key.algorithm()), u8::from(hash)]);
    body.extend(&digest[..2]);
    body.extend(signed(key, hash, &digest));
    body
}

fn fourth(
    content: &[u8],
    key: &dyn SigningKey,
    hash: HashAlgorithm,
    kind: u8,
    odd: bool,
    rng: &mut Rng,
) -> Vec<u8> {
    let fingerprint = [&[4], key.fingerprint().as_bytes()].concat();
    let mut hashed =
        vec![(FINGERPRINT, fingerprint), (CREATED, (MADE + 100).to_be_bytes().to_vec())];
    let mut unhashed = vec![(KEY_ID, id(key))];
    if odd {
        subpackets(&mut hashed, &mut unhashed, rng);
    }
    let (hashed, unhashed) = (area(&hashed, odd, rng), area(&unhashed, odd, rng));
    let mut body = vec![4, kind, key.algorithm().into(), hash.into()];
    body.extend((hashed.len() as u16).to_be_bytes());
    body.extend(hashed);
    let end = [&[4, 0xff][..], &(body.len() as u32).to_be_bytes()].concat();
    let digest = digest(hash, &[content, &body, &end]);
    body.extend((unhashed.len() as u16).to_be_bytes());
    body.extend(unhashed);
    let mut check = [digest[0], digest[1]];
    if odd && rarely(12, rng) {
        check[0] ^= 1;
    }
    body.extend(check);
    body.extend(signed(key, hash, &digest));
    body
}

type Subpackets = Vec<(u8, Vec<u8>)>;

/// Changes who made a signature and when, by its subpackets.
fn subpackets(hashed: &mut Subpackets, unhashed: &mut Subpackets, rng: &mut Rng) {
    let other = VENDORS.key(one_of(&[Signer::Rsa, Signer::Edwards, Signer::Stranger], rng));
    let fingerprint = |key: &dyn SigningKey| [&[4], key.fingerprint().as_bytes()].concat();
    let time = |seconds: u32| seconds.to_be_bytes().to_vec();
    match rng.u32(..20) {
        0 => hashed.retain(|(kind, _)| *kind != FINGERPRINT),
        1 => unhashed.clear(),
        2 => hashed.append(unhashed),
        3 => unhashed[0].1 = id(other),
        4 => unhashed.push((KEY_ID, id(other))),
        5 => unhashed.insert(0, (KEY_ID, id(other))),
        6 => hashed.push((KEY_ID, id(other))),
        7 => unhashed.push((FINGERPRINT, fingerprint(other))),
        8 => hashed[0].1 = fingerprint(VENDORS.key(Signer::Stranger)),
        9 => hashed.retain(|(kind, _)| *kind != CREATED),
        10 => {
            hashed.retain(|(kind, _)| *kind != CREATED);
            unhashed.push((CREATED, time(MADE + 100)));
        }
        11 => hashed.push((CREATED, time(MADE + 200))),
        12 => hashed[1].1 = time(one_of(&[0, MADE - 1, MADE, u32::MAX], rng)),
        13 => hashed.push((EXPIRES, time(one_of(&[0, 1, 1000, u32::MAX], rng)))),
        14 => unhashed.push((EXPIRES, time(1))),
        15 => hashed.push((101 | CRITICAL, b"x".to_vec())),
        16 => unhashed.push((101 | CRITICAL, b"x".to_vec())),
        17 => hashed[0].0 |= CRITICAL,
        // No flags of keys (27): `pgp` 0.20 hashes odd ones as it would write them.
        18 => hashed.push((one_of(&[9, 11, 20, 25, 30], rng), time(rng.u32(..)))),
        // No fingerprint that is cut short: rpm does not read any.
        _ => {
            let (_, value) = if rng.bool() { &mut hashed[1] } else { &mut unhashed[0] };
            value.truncate(rng.usize(..value.len()));
        }
    }
}

/// An area of subpackets.
fn area(subpackets: &Subpackets, odd: bool, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, body) in subpackets {
        let length = body.len() as u32 + 1;
        match odd && rarely(12, rng) {
            true => bytes.extend([&[0xff][..], &length.to_be_bytes()].concat()),
            false => bytes.push(length as u8),
        }
        bytes.push(*kind);
        bytes.extend(body);
    }
    if odd && rarely(20, rng) {
        bytes.push(one_of(&[0, 1, 5, 0xff], rng));
    }
    bytes
}

/// The packet around a signature (RFC 4880, 4.2).
fn framed(body: &[u8], odd: bool, rng: &mut Rng) -> Vec<u8> {
    let length = body.len() as u16;
    let two = length.to_be_bytes();
    let head = match if odd { rng.u32(..10) } else { rng.u32(..2) } {
        2 => [&[0xc2, 0xff, 0, 0][..], &two].concat(),
        3 => vec![0x8b],
        4 => [&[0x8a, 0, 0][..], &two].concat(),
        5 => vec![one_of(&[0x80, 0x84, 0x8c, 0x98], rng) | 1, two[0], two[1]],
        6 => [&[0x89][..], &(length.wrapping_add(one_of(&[1, u16::MAX], rng))).to_be_bytes()]
            .concat(),
        1 if length >= 192 => {
            let rest = length - 192;
            vec![0xc2, (rest >> 8) as u8 + 192, rest as u8]
        }
        1 => vec![0xc2, length as u8],
        _ => [&[0x89][..], &two].concat(),
    };
    [&head, body].concat()
}
