//! Undoing the compressions that yum metadata comes in, never past a bound.

use std::io::{self, Read};

/// The formats, told by their first bytes rather than by a file's name.
const GZIP: &[u8] = &[0x1f, 0x8b];
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const BZIP2: &[u8] = b"BZh";
const ZCHUNK: &[u8] = &[0, b'Z', b'C', b'K', b'1'];

/// A reader of what `bytes` hold: gz, xz, zstd, bz2 or no compression at all.
/// It fails, rather than ends, once it has given `limit` bytes.
pub fn decompress(bytes: &[u8], limit: u64) -> io::Result<impl Read + '_> {
    let reader: Box<dyn Read> = if bytes.starts_with(GZIP) {
        Box::new(flate2::bufread::MultiGzDecoder::new(bytes))
    } else if bytes.starts_with(XZ) {
        Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(bytes))
    } else if bytes.starts_with(ZSTANDARD) {
        Box::new(zstd::stream::read::Decoder::with_buffer(bytes)?)
    } else if bytes.starts_with(BZIP2) {
        Box::new(bzip2::bufread::MultiBzDecoder::new(bytes))
    } else if bytes.starts_with(ZCHUNK) {
        return Err(io::Error::other("it is zchunk, which is not read"));
    } else {
        Box::new(bytes)
    };
    Ok(Bounded { reader, left: limit })
}

/// Fails where `Read::take` would pretend that the data ended.
struct Bounded<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other("it inflates to more than it says it holds"))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn each_format_is_read_and_bounded() {
        let text = b"<metadata/>".repeat(1000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&text).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&text).unwrap();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(&text).unwrap();
        let compressed = [
            gzip.finish().unwrap(),
            xz.finish().unwrap(),
            bzip2.finish().unwrap(),
            zstd::encode_all(&text[..], 1).unwrap(),
            text.clone(),
        ];
        for bytes in compressed {
            let mut out = Vec::new();
            let size = text.len() as u64;
            decompress(&bytes, size).unwrap().read_to_end(&mut out).unwrap();
            assert!(out == text);
            assert!(decompress(&bytes, size - 1).unwrap().read_to_end(&mut Vec::new()).is_err());
        }
        assert!(decompress(b"\0ZCK1...", 10).is_err());
    }
}
