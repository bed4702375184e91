//! The software bill of materials in a bundle: of which bundle it is. The bundler makes it
//! (`bundler/src/sbom`), and both programs check that it belongs to the bundle.

use std::io::{self, Error, Read};

use serde::Deserialize;

use crate::digest::Digest;
use crate::text::brief;

/// The deepest nesting of a bill. Real ones have seven levels.
const MAX_DEPTH: u32 = 64;
/// The longest text in a bill, in bytes. Real ones are cut at 4,096 characters.
const MAX_TEXT: u32 = 1 << 20;

/// What is read of a bill.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bill {
    bom_format: String,
    serial_number: String,
}

/// The serial number of the bill of the bundle with this lock. It is a UUID of version 8,
/// which RFC 9562 leaves to the application.
pub fn serial_number(lock: Digest) -> String {
    let hex = lock.hex();
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    let (time, middle, high) = (part(0, 8), part(8, 12), part(13, 16));
    let (low, node) = (part(17, 20), part(20, 32));
    format!("urn:uuid:{time}-{middle}-8{high}-8{low}-{node}")
}

/// Fails if `bill` is not JSON of CycloneDX, or is the bill of a bundle with another lock. The
/// error says which. Reads it to its end, and keeps only these fields of it.
pub(crate) fn check(bill: impl Read, lock: Digest) -> Result<(), String> {
    let bill = io::BufReader::new(Bounded { bill, depth: 0, text: None, is_escaped: false });
    let bill: Bill = serde_json::from_reader(bill)
        .map_err(|error| format!("it is no bill of materials of CycloneDX: {error}"))?;
    let (format, own) = (&bill.bom_format, serial_number(lock));
    if format != "CycloneDX" {
        return Err(format!("its `bomFormat` is {}, and not CycloneDX", brief(format)));
    }
    if bill.serial_number != own {
        let serial = brief(&bill.serial_number);
        return Err(format!(
            "it is the bill of materials of another bundle: its `serialNumber` is {serial}, and \
             this bundle's is {own}"
        ));
    }
    Ok(())
}

/// Reads JSON that takes little memory to parse: its texts are short, and it is not deep.
struct Bounded<R> {
    bill: R,
    depth: u32,
    /// How much was read of the present text, in bytes; none between texts.
    text: Option<u32>,
    is_escaped: bool,
}

impl<R> Bounded<R> {
    fn see(&mut self, byte: u8) -> io::Result<()> {
        match (self.text, byte) {
            (Some(_), b'"') if !self.is_escaped => self.text = None,
            (Some(MAX_TEXT), _) => {
                return Err(Error::other(format!("it has a text of more than {MAX_TEXT} bytes")));
            }
            (Some(length), _) => {
                self.is_escaped = byte == b'\\' && !self.is_escaped;
                self.text = Some(length + 1);
            }
            (None, b'"') => self.text = Some(0),
            (None, b'[' | b'{') if self.depth == MAX_DEPTH => {
                return Err(Error::other(format!("it has more than {MAX_DEPTH} levels")));
            }
            (None, b'[' | b'{') => self.depth += 1,
            (None, b']' | b'}') => self.depth = self.depth.saturating_sub(1),
            (None, _) => {}
        }
        Ok(())
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bill.read(buffer)?;
        let read = buffer.get(..count).unwrap_or_default();
        read.iter().try_for_each(|byte| self.see(*byte))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bill: &str) -> Result<(), String> {
        check(bill.as_bytes(), Digest::of(b""))
    }

    fn of_empty(more: &str) -> String {
        let own = serial_number(Digest::of(b""));
        format!(r#"{{"bomFormat": "CycloneDX", "serialNumber": "{own}", "x": {more}}}"#)
    }

    #[test]
    fn the_serial_number_is_a_uuid_of_version_8_and_the_locks_own() {
        let of = |text: &[u8]| serial_number(Digest::of(text));
        assert_eq!(of(b""), "urn:uuid:e3b0c442-98fc-8c14-8afb-f4c8996fb924");
        assert_ne!(of(b"a"), of(b"b"));
    }

    #[test]
    fn only_the_bundles_own_bill_passes() {
        assert_eq!(said(&of_empty(r#"[{"\"[": "\\"}, "[[[", null]"#)), Ok(()));
        let other = of_empty("1").replace("e3b0c442", "e3b0c443");
        assert!(said(&other).unwrap_err().contains("of another bundle: its `serialNumber` is"));
        let spdx = of_empty("1").replace("CycloneDX", "SPDX");
        assert_eq!(said(&spdx).unwrap_err(), "its `bomFormat` is SPDX, and not CycloneDX");
        let end = format!("{} x", of_empty("1"));
        let cut = of_empty("1")[..20].to_owned();
        for other in ["", "x", "{}", "[1]", "\u{feff}{}", &end, &cut] {
            assert!(said(other).unwrap_err().starts_with("it is no bill of materials"), "{other}");
        }
    }

    #[test]
    fn what_would_fill_memory_is_refused_before_it_does() {
        let deep =
            |levels: usize| of_empty(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
        assert_eq!(said(&deep(MAX_DEPTH as usize - 1)), Ok(()));
        assert!(said(&deep(MAX_DEPTH as usize)).unwrap_err().contains("more than 64 levels"));
        let long = |length: usize| of_empty(&format!("\"{}\"", "\\\"".repeat(length / 2)));
        assert_eq!(said(&long(MAX_TEXT as usize)), Ok(()));
        assert!(said(&long(MAX_TEXT as usize + 2)).unwrap_err().contains("a text of more than"));
    }
}
