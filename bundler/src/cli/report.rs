//! What the operator reads when something failed.

use std::io::Write;

use anyhow::Context;
use bundle_format::output::standard_output;

/// Writes `error` and its causes, one a line, to standard error.
pub(super) fn failure(error: &anyhow::Error) {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  caused by: {cause}\n"));
    }
    // With standard error closed there is nobody left to tell.
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Writes a remark to standard error; standard output is for data.
pub(super) fn notice(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Writes `text` to standard output.
pub(super) fn data(text: &str) -> anyhow::Result<()> {
    // Where the reader, such as `head`, has seen enough, that is no error.
    let mut out = standard_output();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("printing")
}
