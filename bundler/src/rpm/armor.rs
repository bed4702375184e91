//! Whether a node's rpm can import a key file. gpg and the OpenPGP library accept
//! much more than rpm does: binary keys, armor without its checksum, any headers,
//! spaces around lines.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const MARK: &[u8] = b"-----BEGIN PGP ";
const BEGIN: &[u8] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &[u8] = b"-----END PGP PUBLIC KEY BLOCK-----";
/// The headers that rpm knows. Any other header makes it ignore the block.
const HEADERS: [&[u8]; 5] = [b"Version: ", b"Comment: ", b"MessageID: ", b"Hash: ", b"Charset: "];

/// Whether rpm can import every block of `file`. rpm reads the file as a text that
/// ends at a zero byte, skips text around blocks, and fails if a block is not a
/// public key.
pub(super) fn is_importable(file: &[u8]) -> bool {
    let mut lines = file.split(|byte| *byte == b'\n');
    let mut blocks = 0;
    while let Some(line) = lines.next() {
        if line == BEGIN {
            if !is_block(&mut lines) {
                return false;
            }
            blocks += 1;
        } else if line.windows(MARK.len()).any(|window| window == MARK) {
            return false;
        }
    }
    blocks > 0 && !file.contains(&0)
}

/// Reads a block after its first line, up to its last one.
fn is_block<'a>(lines: &mut impl Iterator<Item = &'a [u8]>) -> bool {
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        if !HEADERS.iter().any(|name| line.starts_with(name)) {
            return false;
        }
    }
    let mut body = Vec::new();
    for line in lines.by_ref() {
        if let Some(sum) = line.strip_prefix(b"=") {
            let sum_fits = STANDARD.decode(&body).is_ok_and(|packets| {
                STANDARD.decode(sum).is_ok_and(|sum| sum == checksum(&packets))
            });
            return sum_fits && lines.next() == Some(END);
        }
        body.extend(line);
    }
    false
}

/// The CRC-24 of armor (RFC 4880, 6.1). The OpenPGP library has one too, but it
/// compares with the CRC of no bytes.
fn checksum(bytes: &[u8]) -> [u8; 3] {
    let mut crc: u32 = 0x00b7_04ce;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4cfb;
            }
        }
    }
    let [_, sum @ ..] = crc.to_be_bytes();
    sum
}
