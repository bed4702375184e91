//! Where a command's text goes.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use bundle_format::output;
use bundle_format::text::stdout;

/// Prints what was asked for.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("printing")
}

/// Writes a secret where a person said, or prints it. A file of it is for its
/// owner's eyes only.
pub(super) fn secret(path: Option<&Path>, text: &str, what: &str) -> anyhow::Result<()> {
    match path {
        None => print(text),
        Some(path) => output::write(path, text.as_bytes(), 0o600)
            .with_context(|| format!("writing the {what} to {}", path.display())),
    }
}
