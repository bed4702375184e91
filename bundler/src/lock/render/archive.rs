//! A packed chart. Helm 3 writes the time into it, so the same folder would get another
//! digest each time.

use std::io::Read;

use anyhow::Context;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, Header};

/// The largest packed chart, in bytes. Charts have some hundred thousand.
pub(super) const MAX_CHART: u64 = 32 << 20;
/// The most bytes in all files of a chart.
const MAX_UNPACKED: u64 = 256 << 20;

/// The same files in the same order, without times and owners.
pub(super) fn plain(packed: &[u8]) -> anyhow::Result<Vec<u8>> {
    let reading = "reading the packed chart";
    let mut archive = Archive::new(GzDecoder::new(packed).take(MAX_UNPACKED));
    let mut plain = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for entry in archive.entries().context(reading)? {
        let mut entry = entry.context(reading)?;
        let path = entry.path().context(reading)?.into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).context(reading)?;
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        plain.append_data(&mut header, path, bytes.as_slice()).context("packing the chart")?;
    }
    plain.into_inner().and_then(GzEncoder::finish).context("packing the chart")
}
