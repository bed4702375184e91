//! Where a bundle may be written.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::output;

use super::document::{BUNDLE, SUMS, check_beside, check_output};
use crate::build::sums_of;

/// How the names of the files end that lie beside a bundle, and what these are.
const BESIDE: [(&str, &str); 4] = [
    (".minisig", "a signature"),
    (".sha256", "checksums"),
    (".parity", "a parity file"),
    (".patch", "a patch"),
];

/// The file that `--output` leads to, with all links followed: a link stays a link, and all files
/// of the bundle are written where it leads. Fails if no bundle can be written there, or if it
/// would replace another kind of file, or one of the bundles that are read for it.
pub(super) fn place<'a>(
    path: &Path,
    inputs: impl IntoIterator<Item = &'a PathBuf>,
) -> anyhow::Result<PathBuf> {
    if path.as_os_str() == "-" {
        bail!(
            "--output -: a bundle cannot go to standard output, because other files are written \
             beside it: name a file"
        );
    }
    let name = path.as_os_str().to_string_lossy();
    if let Some((end, what)) = BESIDE.iter().find(|(end, _)| name.ends_with(end)) {
        bail!(
            "--output {name}: a name that ends in {end} is that of {what} beside a bundle: choose \
             another name, such as {}",
            name.trim_end_matches(end)
        );
    }
    let found = output::file(path);
    let (place, _) = found.with_context(|| format!("--output {}", path.display()))?;
    check_output(path, &BUNDLE, inputs)?;
    check_beside(&sums_of(&place), &SUMS)?;
    Ok(place)
}
