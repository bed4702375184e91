//! The software bill of materials, which goes into the bundle with all that it lists.

use std::io::{self, Read};

use anyhow::{Context, bail};
use bundle_format::BundlePath;
use bundle_format::bounds::MAX_SBOM;
use bundle_format::layout::{Content, SBOM_TYPE};
use bundle_format::lock::Descriptor;
use indicatif::HumanBytes;

use super::task::Task;
use crate::progress::Progress;
use crate::sbom;

/// Makes it from the lock and the cache, where its bytes are then too.
pub(super) fn make(task: &Task<'_>, size: u64) -> anyhow::Result<Content> {
    let Task { lock, upstreams, quiet, .. } = *task;
    let progress = Progress::new("listing", size, quiet);
    let open = |blob: &Descriptor| -> anyhow::Result<Box<dyn Read + '_>> {
        let file = upstreams.cache.open(blob.digest, blob.size);
        let file = file
            .with_context(|| format!("the cache lost blob {}; run the build again", blob.digest))?;
        Ok(Box::new(Counted { reader: file, progress: &progress }))
    };
    let bytes = sbom::document(lock, &open).context("listing what is in the bundle")?;
    progress.finish();
    if bytes.len() as u64 > MAX_SBOM {
        bail!(
            "the list of what is in the bundle would have {}: make several bundles of this spec",
            HumanBytes(bytes.len() as u64)
        );
    }
    let descriptor = upstreams.keep(SBOM_TYPE, &bytes)?;
    Ok(Content { path: BundlePath::Sbom, descriptor })
}

/// A reader whose bytes count as progress.
struct Counted<'a, R> {
    reader: R,
    progress: &'a Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.progress.add("", count as u64);
        Ok(count)
    }
}
