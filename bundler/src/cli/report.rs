//! What the operator reads. All of it goes through [`bundle_format::text`]: no
//! stranger's text moves the cursor.

use std::io::Write;

use anyhow::Context;
use bundle_format::text::{indented, plain_json, stderr, stdout};

use crate::spec::SpecError;

/// Writes `error` and its causes, one a line, to standard error. The lines of a
/// text that has several stand further in, so that none can be taken for another
/// error; only a spec's mistakes are one each.
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
    // With standard error closed there is nobody left to tell.
    drop(stderr().write_all(text.as_bytes()));
}

/// Writes a remark to standard error; standard output is for data.
pub(super) fn notice(text: &str) {
    drop(writeln!(stderr(), "{}", indented(text)));
}

/// Writes `text` to standard output.
pub(super) fn data(text: &str) -> anyhow::Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("printing")
}

/// Writes JSON to standard output, with exactly its values.
pub(super) fn json(text: &str) -> anyhow::Result<()> {
    data(&plain_json(text))
}
