//! The archive: a page to read first, and a text for each thing that was asked.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bundle_format::output;
use bundle_format::replaced::Kind;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::Builder;
use x509_cert::der::DateTime;

use super::entry::Entry;
use super::list::LIST;
use crate::files::packed::pack;
use crate::host::Host;

/// The page.
const PAGE: &str = "READ-ME-FIRST.txt";
/// Its path in the archive.
const PATH: &str = "support/READ-ME-FIRST.txt";

/// The file, which begins with the page.
pub(crate) const KIND: Kind = Kind {
    words: "archive for a supporter",
    begins: |head| {
        let mut name = [0; PATH.len()];
        GzDecoder::new(head).read_exact(&mut name).is_ok() && name == *PATH.as_bytes()
    },
};

/// Collects everything, and writes it to `path`: a tar in gzip, which every system
/// opens. Returns how many texts are in it, and how many could not be had.
pub(crate) fn make(host: &Host, path: &Path) -> anyhow::Result<(usize, usize)> {
    let now = SystemTime::now();
    let found: Vec<(&str, Entry)> =
        LIST.iter().map(|(name, source)| (*name, source.ask(host))).collect();
    let page = page(host, now, &found)?;
    let texts: Vec<(&str, &str)> = found
        .iter()
        .filter_map(|(name, entry)| Some((*name, entry.text.as_ref().ok()?.as_str())))
        .collect();
    let time = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let writing = || format!("writing {}", path.display());
    output::write_by(path, 0o600, |out| {
        let mut tar = Builder::new(GzEncoder::new(out, Compression::default()));
        for (name, text) in [(PAGE, page.as_str())].iter().chain(&texts) {
            let name = format!("support/{name}");
            pack(&mut tar, &name, time, text.len() as u64, text.as_bytes())?;
        }
        tar.into_inner()?.finish().map(drop)
    })
    .with_context(writing)?;
    Ok((texts.len(), found.len() - texts.len()))
}

fn page(host: &Host, now: SystemTime, found: &[(&str, Entry)]) -> anyhow::Result<String> {
    let now = DateTime::from_system_time(now).context("reading the clock")?;
    let name = host.read("/proc/sys/kernel/hostname")?.unwrap_or_default();
    let mut page = format!(
        "What `installer support` found on {} at {now}, by version {} of the installer.\n\n\
         Tokens, passwords and private keys are replaced by words that say so. Names, addresses\n\
         and packages of the site are in it: read it before you send it away.\n\n",
        name.trim(),
        env!("CARGO_PKG_VERSION"),
    );
    if let Some((_, entry)) = found.first() {
        let doctor = entry.text.as_ref().map_or_else(String::as_str, String::as_str);
        write!(page, "What `installer doctor` says:\n\n{doctor}\n")?;
    }
    let wide = found.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    writeln!(page, "{:wide$}  FROM", "FILE")?;
    for (name, entry) in found {
        match &entry.text {
            Ok(_) => writeln!(page, "{name:wide$}  {}", entry.asked)?,
            Err(why) => writeln!(page, "{name:wide$}  is missing: {}: {why}", entry.asked)?,
        }
    }
    Ok(page)
}
