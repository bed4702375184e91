//! `installer verify`.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::survey;
use bundle_format::archive::verify::{self, Verification};
use bundle_format::durable::Unfinished;
use bundle_format::signature::{HOW_TO_ASK, NOT_ASKED};
use bundle_format::text::{count, printable, stderr, stdout};
use bundle_format::{input, output, signature};

use super::node;
use super::options::Source;
use super::place::Place;
use crate::failure::Failure;

/// How many bytes are copied at once.
const PIECE: usize = 1 << 20;

/// What to do about a stick that begins to fail.
const COPY_IT: &str = "the stick is failing: `installer verify --copy FILE` writes a good copy, to \
                       another stick or disk";

pub(crate) fn verify(source: &Source<'_>, copy: Option<&Path>) -> anyhow::Result<()> {
    let bundle = node::bundle(source)?;
    if let (Some(address), Some(_)) = (bundle.address(), copy) {
        return Err(Failure::new(
            format!("--copy writes a copy of a file, and the bundle is at {address}"),
            "`bundler pull` gets a bundle from a registry",
        )
        .into());
    }
    // Reading takes minutes, so the copy's place is tried first.
    let copy = copy.map(|path| Ok::<_, anyhow::Error>((path, begin(path)?))).transpose()?;
    let found = whole(&bundle)?;
    if let Some((path, unfinished)) = copy {
        write_copy(&bundle, unfinished, path)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    match bundle.signed() {
        Some(by) => writeln!(stdout(), "signed: {by}")?,
        None => writeln!(stderr(), "note: {NOT_ASKED}; {HOW_TO_ASK}")?,
    }
    let index = bundle.index_digest();
    let (blobs, bytes) = (count(found.blobs, "blob"), found.bytes);
    writeln!(stdout(), "good: {blobs}, {bytes} bytes, index {index}")?;
    if let Some(lack) = found.lack() {
        writeln!(stdout(), "{lack}")?;
    }
    Ok(())
}

/// Prints what a patch of the bundle must have.
pub(crate) fn map(bundle: Option<&Place>) -> anyhow::Result<()> {
    let path = super::bundle::find(bundle)?;
    let lost = survey::map(&path).with_context(|| {
        format!(
            "{} cannot be opened, and no parity file says which of its bytes are right",
            path.display()
        )
    })?;
    let Some(lost) = lost else {
        writeln!(stderr(), "note: nothing of {} is lost", path.display())?;
        return Ok(());
    };
    write!(stdout(), "{lost}")?;
    let cure = "`bundler patch BUNDLE --map FILE`, where the bundle was made, makes of this text what \
                repairs it";
    writeln!(stderr(), "note: {} of 4 KiB are lost; {cure}", chunks(lost.count()))?;
    Ok(())
}

fn chunks(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "chunk")
}

/// Begins the copy at `path`. An existing file may be the bundle itself, so none is replaced.
fn begin(path: &Path) -> anyhow::Result<Unfinished> {
    if path.symlink_metadata().is_ok() {
        let there = format!("{} exists", path.display());
        return Err(Failure::new(there, "name a file that does not exist").into());
    }
    let begun = output::file(path).and_then(|_| Unfinished::held(path, 0o644));
    begun.with_context(|| format!("writing {}", path.display()))
}

/// Writes the archive, with what was damaged repaired.
fn write_copy(bundle: &Bundle, mut unfinished: Unfinished, path: &Path) -> anyhow::Result<()> {
    let mut buffer = vec![0; PIECE];
    for offset in (0..bundle.length()).step_by(PIECE) {
        let left = usize::try_from(bundle.length() - offset).unwrap_or(PIECE).min(PIECE);
        let piece = buffer.get_mut(..left).unwrap_or_default();
        bundle.read_archive_at(piece, offset)?;
        unfinished.file().write_all(piece)?;
    }
    // A failing stick may give other bytes the second time.
    let copy = Bundle::open(unfinished.path())?;
    if let Some(report) = verify::verify(&copy, |_| {}).report() {
        bail!("the stick gave other bytes while it was copied; run this again:\n{report}");
    }
    unfinished.finish(path)?;
    copy_signature(bundle, path)
}

/// The signature is over the index, so it is the copy's, too.
fn copy_signature(bundle: &Bundle, copy: &Path) -> anyhow::Result<()> {
    let own = bundle.paths().next().map(signature::found);
    let Some(own) = own.filter(|own| own.exists()) else { return Ok(()) };
    let text = input::file(&own, input::WRITTEN_BY_HAND);
    let text = text.with_context(|| format!("reading {}", own.display()))?;
    let path = signature::path_of(copy);
    let mut unfinished = Unfinished::create(path.clone(), 0o644)
        .with_context(|| format!("writing {}", path.display()))?;
    unfinished.file().write_all(&text)?;
    Ok(unfinished.finish(&path)?)
}

/// Reads the whole bundle before a node is changed. One in a registry is not read twice: each
/// blob is checked as it is taken, and the same line goes on after an error.
pub(crate) fn before_changes(bundle: &Bundle) -> anyhow::Result<()> {
    match bundle.address() {
        Some(_) => Ok(()),
        None => whole(bundle).map(drop),
    }
}

/// Reads the whole bundle. The error names everything that is damaged.
pub(crate) fn whole(bundle: &Bundle) -> anyhow::Result<Verification> {
    let verification = verify::verify(bundle, |_| {});
    if let Some(report) = verification.report() {
        let repairs = bundle.repairs().into_iter().map(|repairs| format!("\n{repairs}"));
        let what = format!("{report}{}", repairs.collect::<String>());
        if verification.problems.is_empty() {
            bail!(what);
        }
        let cure = "`installer verify --map` prints what of it is lost, and `installer manual \
                    damage` says how to get that; or bring the bundle again";
        return Err(Failure::new(what, cure).into());
    }
    for repairs in bundle.repairs() {
        writeln!(stderr(), "note: {}", printable(&format!("{repairs}; {COPY_IT}")))?;
    }
    for words in bundle.passed_over() {
        writeln!(stderr(), "note: {}", printable(&words))?;
    }
    Ok(verification)
}
