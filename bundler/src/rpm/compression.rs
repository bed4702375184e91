//! Decompressing yum metadata, with a limit on the size.

use std::io::{self, Read};

use bundle_format::input::Bounded;

/// The formats, recognised by their first bytes and not by a file's name.
const GZIP: &[u8] = &[0x1f, 0x8b];
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const BZIP2: &[u8] = b"BZh";
const ZCHUNK: &[u8] = &[0, b'Z', b'C', b'K', b'1'];

/// The most memory for decompressing xz, in bytes. `xz -9` needs 65 MiB.
const MAX_XZ_MEMORY: u64 = 128 << 20;
/// The same for zstd, as a power of two. `zstd --ultra -22` needs this much.
const MAX_ZSTANDARD_WINDOW: u32 = 27;
/// How many times larger metadata may become. That of real repositories becomes up to
/// 15 times larger with gzip, and some dozens of times with zstd if it has many
/// versions of the same packages.
const MAX_RATIO: u64 = 100;
/// The size in bytes that small metadata may have when decompressed, whatever its
/// ratio.
const MIN_LIMIT: u64 = 64 << 20;

/// A reader of the content of `bytes`: gz, xz, zstd, bz2 or uncompressed. If the
/// content has more than `limit` bytes, or more than any real metadata of that size,
/// the reader fails instead of ending early.
pub fn decompress(bytes: &[u8], limit: u64) -> io::Result<impl Read + '_> {
    let likely = (bytes.len() as u64).saturating_mul(MAX_RATIO).max(MIN_LIMIT);
    let reader: Box<dyn Read> = if bytes.starts_with(GZIP) {
        Box::new(flate2::bufread::MultiGzDecoder::new(bytes))
    } else if bytes.starts_with(XZ) {
        let stream = liblzma::stream::Stream::new_stream_decoder(
            MAX_XZ_MEMORY,
            liblzma::stream::CONCATENATED,
        )?;
        Box::new(liblzma::bufread::XzDecoder::new_stream(bytes, stream))
    } else if bytes.starts_with(ZSTANDARD) {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
        decoder.window_log_max(MAX_ZSTANDARD_WINDOW)?;
        Box::new(decoder)
    } else if bytes.starts_with(BZIP2) {
        Box::new(bzip2::bufread::MultiBzDecoder::new(bytes))
    } else if bytes.starts_with(ZCHUNK) {
        return Err(io::Error::other("it is zchunk, which is not read"));
    } else {
        Box::new(bytes)
    };
    let reason = match limit <= likely {
        true => "it inflates to more than it says it holds",
        false => "it inflates to more than any real metadata of its size",
    };
    Ok(Bounded::new(reader, limit.min(likely), reason))
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

    #[test]
    fn what_inflates_beyond_reason_is_refused() {
        let size = MIN_LIMIT + 1;
        let zeros = || io::Read::take(io::repeat(b' '), size);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::copy(&mut zeros(), &mut gzip).unwrap();
        let compressed = [gzip.finish().unwrap(), zstd::encode_all(zeros(), 1).unwrap()];
        for bytes in compressed {
            let mut reader = decompress(&bytes, u64::MAX).unwrap();
            let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
            assert!(error.to_string().contains("any real metadata"), "{error}");
        }
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(28).unwrap();
        encoder.include_contentsize(false).unwrap();
        encoder.write_all(b"<metadata/>").unwrap();
        let wide = encoder.finish().unwrap();
        assert!(io::copy(&mut decompress(&wide, 99).unwrap(), &mut io::sink()).is_err());
        let mut options = liblzma::stream::LzmaOptions::new_preset(6).unwrap();
        options.dict_size(1 << 30);
        let mut filters = liblzma::stream::Filters::new();
        filters.lzma2(&options);
        let check = liblzma::stream::Check::Crc32;
        let stream = liblzma::stream::Stream::new_stream_encoder(&filters, check);
        // Writing needs a dictionary of the same size, and a small machine may
        // not have the memory.
        if let Ok(stream) = stream {
            let mut xz = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
            xz.write_all(b"<metadata/>").unwrap();
            let wide = xz.finish().unwrap();
            assert!(io::copy(&mut decompress(&wide, 99).unwrap(), &mut io::sink()).is_err());
        }
    }
}
