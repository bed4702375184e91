//! Output for the operator. All of it goes through [`bundle_format::text`], so that
//! texts from others cannot move the cursor.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use bundle_format::output::Destination;
use bundle_format::text::{indented, stderr, stdout, write_plain_json};

use crate::build::write_file;
use crate::spec::SpecError;

/// Writes `error` and its causes to standard error, one a line. If a text has several
/// lines, the others are indented, so that none looks like a separate error. Only the
/// mistakes in a spec are one error each.
pub(super) fn failure(error: &anyhow::Error) {
    let mut text = match error.downcast_ref::<SpecError>() {
        Some(SpecError::Invalid(mistakes)) => {
            mistakes.iter().map(|one| format!("error: {}\n", indented(one))).collect()
        }
        _ => format!("error: {}\n", indented(&error.to_string())),
    };
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  caused by: {}\n", indented(&cause.to_string())));
    }
    // If standard error is closed, nobody can read the error.
    drop(stderr().write_all(text.as_bytes()));
}

/// Writes a remark to standard error, because standard output is for data.
pub(super) fn notice(text: &str) {
    drop(writeln!(stderr(), "{}", indented(text)));
}

/// Writes `text` to standard output.
pub(super) fn data(text: &str) -> anyhow::Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("printing")
}

/// Writes JSON to standard output, with its exact values.
pub(super) fn json(text: &str) -> anyhow::Result<()> {
    let mut out = stdout();
    write_plain_json(&mut out, text).and_then(|()| out.flush()).context("printing")
}

/// Writes to what the operator named with `--output`: a file, which is there whole or not at
/// all, or a pipe.
pub(super) fn output(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let writing = || format!("writing {}", path.display());
    match Destination::of(path).with_context(writing)? {
        Destination::File { .. } => write_file(path, bytes),
        Destination::Stream(mut pipe) => pipe.write_all(bytes).with_context(writing),
    }
}
