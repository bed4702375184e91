//! `installer manual`.

use std::io::{self, Write};

use anyhow::Context;

/// The pages that an operator needs beside a node, where there is no network to
/// read them on.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Page {
    /// Installing: options, steps, problems, the cluster file, the way back
    Install,
    /// Why a node is broken
    Doctor,
}

/// Prints a page as it was when this program was made.
pub(crate) fn manual(page: Page) -> anyhow::Result<()> {
    let text = match page {
        Page::Install => include_str!("../../../docs/install.md"),
        Page::Doctor => include_str!("../../../docs/doctor.md"),
    };
    io::stdout().write_all(text.as_bytes()).context("printing the manual")
}
