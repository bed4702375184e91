//! The parity file beside a bundle, by which the installer repairs bad sectors on site.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::damage::chunk::CHUNK;
use bundle_format::damage::parity::{self, Parity};
use bundle_format::damage::plan::{MAX_PROTECTED, Plan, Share};
use bundle_format::damage::{Head, make};
use bundle_format::output;
use indicatif::HumanBytes;

use super::output::{check_folder, is_same_file};
use super::unfinished::Unfinished;
use crate::progress::Progress;

/// Makes the parity file of the bundle at `path`, which was verified. Returns its path.
pub fn make_parity(path: &Path, share: Share, quiet: bool) -> anyhow::Result<PathBuf> {
    let bundle = Bundle::open(path)?;
    let length = bundle.length();
    let Some(plan) = Plan::new(length, share) else {
        bail!(
            "the bundle has {}, and a parity file can be for {} at most",
            HumanBytes(length),
            HumanBytes(MAX_PROTECTED)
        );
    };
    let head = Head { bundle: bundle.identity().0, plan };
    let target = parity::path_of(path);
    let writing = || format!("writing {}", target.display());
    let (target, _) = output::file(&target).with_context(writing)?;
    if bundle.paths().any(|own| is_same_file(own, &target)) {
        bail!("{} is the bundle itself: remove the link", target.display());
    }
    check_folder(output::folder_of(&target), plan.file_size()).with_context(writing)?;
    let mut unfinished = Unfinished::create(&target).with_context(writing)?;
    let progress = Progress::new("parity", length, quiet);
    let read = |buffer: &mut [u8], offset| bundle.read_archive_at(buffer, offset);
    make::write(unfinished.file(), &head, read, |count| progress.add("", count))
        .and_then(|()| unfinished.finish(&target))
        .with_context(writing)?;
    progress.finish();
    Ok(target)
}

/// What a parity file of this bundle can repair, in words.
pub fn parity_words(path: &Path) -> anyhow::Result<String> {
    let parity = Parity::open(path).with_context(|| format!("reading {}", path.display()))?;
    let plan = *parity.context("it cannot be read again")?.plan();
    let chunks = plan.groups() * u64::from(plan.recovery());
    Ok(match chunks {
        0 => "it can find damage, and repair none".to_owned(),
        _ => format!(
            "it repairs up to {} of damage in one place",
            HumanBytes(chunks.min(plan.chunks()) * CHUNK as u64)
        ),
    })
}

/// The parity file beside the bundle at `path`, if it is of another bundle. Readers pass it
/// over.
pub fn strange_parity(path: &Path) -> Option<PathBuf> {
    let parity = Parity::open(&parity::found(path)).ok()??;
    let bundle = Bundle::open(path).ok()?;
    let of = (parity.head().bundle, parity.plan().length());
    (of != bundle.identity()).then(|| parity.path().to_owned())
}
