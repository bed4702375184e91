//! The patch of a damaged bundle, made where a good copy of it is.

use std::path::Path;

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::damage::map::Map;
use bundle_format::damage::patch;
use bundle_format::output;

use super::unfinished::{MODE, Unfinished};

/// Writes the chunks of `map` to `path`, from a good bundle, which was verified.
pub fn make_patch(bundle: &Bundle, map: &Map, path: &Path) -> anyhow::Result<()> {
    let own = bundle.identity();
    if !map.is_of(own.0, own.1) {
        bail!("the map is of another bundle: this one has {} bytes and the index {}", own.1, own.0);
    }
    let write = || {
        let (path, _) = output::file(path)?;
        let mut unfinished = Unfinished::at_once(&path, MODE)?;
        let read = |buffer: &mut [u8], offset| bundle.read_archive_at(buffer, offset);
        patch::write(unfinished.file(), map, own, read)?;
        unfinished.finish(&path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}
