//! From a delta to the whole bundle, byte for byte as it was built.

use std::io::{self, Read};

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::verify;
use bundle_format::bounds::MAX_INSTALLER;
use bundle_format::input::bounded;
use bundle_format::lock::{Descriptor, FileKind};

use crate::build::{Built, Output, put_together};
use crate::fetch::cache::Cache;

/// Makes the whole bundle of a delta. What the delta and the bundles that were named with it
/// lack is in the cache, or this fails and names it.
pub fn complete(
    bundle: &Bundle,
    output: &Output,
    (cache, quiet): (&Cache, bool),
) -> anyhow::Result<Built> {
    let mut lacking = verify::lacking(bundle);
    lacking.retain(|blob| cache.open(blob.digest, blob.size).is_none());
    if !lacking.is_empty() {
        bail!(
            "neither these bundles nor the cache have what follows; name a bundle that has it \
             with --bundle, or run `bundler build` where the spec is:\n{}",
            verify::lines(&lacking)
        );
    }
    let open = |blob: &Descriptor| -> io::Result<Box<dyn Read + '_>> {
        match cache.open(blob.digest, blob.size) {
            Some(file) if !bundle.has(blob.digest) => Ok(Box::new(file)),
            _ => Ok(Box::new(bundle.open_blob(blob).map_err(io::Error::other)?)),
        }
    };
    // They are written beside the bundle out of the cache.
    let installers = || -> anyhow::Result<()> {
        let files = bundle.lock().files.iter().filter(|file| file.kind == FileKind::Installer);
        for file in files {
            let bytes = bounded(open(&file.content)?, MAX_INSTALLER)
                .with_context(|| format!("reading {}", file.path))?;
            cache.insert(&bytes)?;
        }
        Ok(())
    };
    let layout = bundle.layout()?;
    put_together(bundle.lock(), &layout, output, (cache, quiet), installers, &open)
}
