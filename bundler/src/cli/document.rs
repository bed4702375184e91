//! The kinds of files that commands write, and the check that they replace no other.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use bundle_format::archive;
use bundle_format::damage::{parity, patch};
use bundle_format::replaced::{self, Kind, Refused};
use bundle_format::{recognise, signature};

use crate::report;

/// The page of `bundler report`.
pub(super) const PAGE: Kind = Kind { words: "page of `bundler report`", begins: report::begins };
/// A bill of materials.
pub(super) const BILL: Kind = Kind {
    words: "bill of materials",
    begins: |head| head.windows(9).take(256).any(|part| part == b"CycloneDX"),
};
/// A bundle.
pub(super) const BUNDLE: Kind = Kind { words: "bundle", begins: archive::begins };
/// A patch of a bundle.
pub(super) const PATCH: Kind = Kind { words: "patch", begins: patch::begins };
/// The parity file beside a bundle.
pub(super) const PARITY: Kind = Kind { words: "parity file", begins: parity::begins };
/// The signature beside a bundle.
pub(super) const SIGNATURE: Kind = Kind { words: "signature", begins: signature::begins };
/// The checksums beside a bundle.
pub(super) const SUMS: Kind = Kind {
    words: "list of checksums",
    begins: |head| recognise::what_begins(head) == recognise::SUMS,
};

/// Fails if a file of this kind cannot be written to what `--output` names, or would replace
/// another kind of file or one of `inputs`, which are read for it.
pub(super) fn check_output<'a>(
    path: &Path,
    kind: &Kind,
    inputs: impl IntoIterator<Item = &'a PathBuf>,
) -> anyhow::Result<()> {
    let inputs = inputs.into_iter().map(PathBuf::as_path);
    replaced::check(path, kind, inputs).map_err(|refused| match refused.cure() {
        Some(cure) => anyhow!("{refused}: {cure}"),
        None => refused.into(),
    })
}

/// The same for a file that is written beside a bundle, under a name that nobody chose.
pub(super) fn check_beside(path: &Path, kind: &Kind) -> anyhow::Result<()> {
    match replaced::check(path, kind, []) {
        Err(refused @ Refused::Strange { .. }) => bail!("{refused}: move it away"),
        checked => Ok(checked?),
    }
}
