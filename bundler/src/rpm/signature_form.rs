//! The form of a package's signature. rpm's own reader of OpenPGP takes less than the
//! standard allows (`rpmio/rpmpgp_internal.c` in 4.18): one packet and nothing else, one time
//! at which it was made, and nothing critical that it does not know. It finds the key by the
//! key id alone.

use pgp::crypto::public_key::PublicKeyAlgorithm;

/// The tag of a packet with a signature.
const SIGNATURE: u8 = 2;
/// Types of subpackets.
const CREATED: u8 = 2;
const KEY_ID: u8 = 16;
const KEY_FLAGS: u8 = 27;
const CRITICAL: u8 = 0x80;
/// The bytes before the numbers in a signature of version 3.
const THIRD: usize = 19;

/// The key id by which rpm looks for the key of a signature; zeros if it has none. `None` if
/// rpm does not read the signature.
pub(super) fn key_id(packet: &[u8]) -> Option<[u8; 8]> {
    let mut body = body(packet)?;
    match body.first()? {
        3 => {
            let head = take(&mut body, THIRD)?;
            // The length of what is signed beside the content.
            let is_sane = head.get(1) == Some(&5);
            has_numbers(*head.get(15)?, body).then_some(())?;
            head.get(7..15)?.try_into().ok().filter(|_| is_sane)
        }
        4 => {
            let head = take(&mut body, 4)?;
            let mut read = Subpackets::default();
            read.area(sized(&mut body)?, true)?;
            read.was_made.then_some(())?;
            read.area(sized(&mut body)?, false)?;
            // The beginning of the digest.
            take(&mut body, 2)?;
            has_numbers(*head.get(2)?, body).then(|| read.key_id.unwrap_or_default())
        }
        _ => None,
    }
}

/// The content of the only packet.
fn body(packet: &[u8]) -> Option<&[u8]> {
    let (head, mut rest) = packet.split_first()?;
    if head & 0x80 == 0 {
        return None;
    }
    let (tag, length) = match head & 0x40 {
        0 => (head >> 2 & 0xf, number(&mut rest, *[1, 2, 4].get(usize::from(head & 3))?)?),
        _ => (head & 0x3f, length(&mut rest)?),
    };
    (tag == SIGNATURE && rest.len() == length).then_some(rest)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    Some(taken)
}

/// A number of some bytes.
fn number(rest: &mut &[u8], bytes: usize) -> Option<usize> {
    Some(take(rest, bytes)?.iter().fold(0, |all, byte| all << 8 | usize::from(*byte)))
}

/// The bytes behind their count.
fn sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let count = number(rest, 2)?;
    take(rest, count)
}

/// A length in one, two or five bytes.
fn length(rest: &mut &[u8]) -> Option<usize> {
    match number(rest, 1)? {
        short @ ..192 => Some(short),
        long @ 192..224 => Some(((long - 192) << 8) + number(rest, 1)? + 192),
        255 => number(rest, 4),
        _ => None,
    }
}

/// Whether these are the numbers of a signature by such a key, and nothing else.
fn has_numbers(algorithm: u8, mut rest: &[u8]) -> bool {
    let is_rsa = algorithm == u8::from(PublicKeyAlgorithm::RSA);
    for _ in 0..if is_rsa { 1 } else { 2 } {
        let read = number(&mut rest, 2).and_then(|bits| take(&mut rest, bits.div_ceil(8)));
        if read.is_none() {
            return false;
        }
    }
    rest.is_empty()
}

/// What the subpackets say, as far as rpm reads them.
#[derive(Default)]
struct Subpackets {
    was_made: bool,
    has_flags: bool,
    key_id: Option<[u8; 8]>,
}

impl Subpackets {
    fn area(&mut self, mut area: &[u8], hashed: bool) -> Option<()> {
        while !area.is_empty() {
            let length = length(&mut area)?;
            let (kind, value) = take(&mut area, length)?.split_first()?;
            let is_known = match kind & !CRITICAL {
                CREATED if hashed && value.len() == 4 => {
                    !std::mem::replace(&mut self.was_made, true)
                }
                KEY_FLAGS if hashed => !std::mem::replace(&mut self.has_flags, true),
                KEY_ID => {
                    self.key_id = self.key_id.or(value.try_into().ok());
                    true
                }
                _ => kind & CRITICAL == 0,
            };
            is_known.then_some(())?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

    /// A signature by RSA with these subpackets.
    fn signature(hashed: &[u8], unhashed: &[u8]) -> Vec<u8> {
        let mut body = vec![4, 0, 1, 8, 0, hashed.len() as u8];
        body.extend(hashed);
        body.extend([0, unhashed.len() as u8]);
        body.extend(unhashed);
        body.extend([9, 9, 0, 8, 0xff]);
        [&[0x88, body.len() as u8][..], &body].concat()
    }

    fn subpacket(kind: u8, value: &[u8]) -> Vec<u8> {
        [&[value.len() as u8 + 1, kind][..], value].concat()
    }

    #[test]
    fn a_signature_is_read_as_rpm_reads_it() {
        let (made, id) = (subpacket(CREATED, &[0; 4]), subpacket(KEY_ID, &ID));
        let other = subpacket(KEY_ID, &[7; 8]);
        let odd = |kind| [made.clone(), subpacket(kind, b"x")].concat();
        for (what, packet, read) in [
            ("a plain one", signature(&made, &id), Some(ID)),
            ("its key id is hashed", signature(&[&id[..], &made].concat(), b""), Some(ID)),
            ("the first key id counts", signature(&made, &[&id[..], &other].concat()), Some(ID)),
            (
                "the hashed one is the first",
                signature(&[&made[..], &other].concat(), &id),
                Some([7; 8]),
            ),
            ("no key id", signature(&made, b""), Some([0; 8])),
            ("no time", signature(b"", &id), None),
            ("a time that is not signed", signature(b"", &[&made[..], &id].concat()), None),
            ("two times", signature(&[&made[..], &made].concat(), &id), None),
            ("something unknown", signature(&odd(101), &id), Some(ID)),
            ("something critical", signature(&odd(101 | CRITICAL), &id), None),
            ("something cut short", signature(&[&made[..], &[5]].concat(), &id), None),
            ("two packets", signature(&made, &id).repeat(2), None),
            ("a byte more", [signature(&made, &id), vec![0]].concat(), None),
            ("nothing", Vec::new(), None),
        ] {
            assert_eq!(key_id(&packet), read, "{what}");
        }
        let mut of_no_length = signature(&made, &id);
        of_no_length[0] = 0x8b;
        assert_eq!(key_id(&of_no_length), None);
    }
}
