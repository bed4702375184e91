//! `installer manual`.

use super::output::print;

/// The pages that an operator needs beside a node, where there is no network to
/// read them on.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Page {
    /// How to install: options, steps, problems, the cluster file, how to undo it
    Install,
    /// How to find out why a node is broken
    Doctor,
}

/// Prints a page as it was when this program was made.
pub(crate) fn manual(page: Page) -> anyhow::Result<()> {
    let text = match page {
        Page::Install => include_str!("../../../docs/install.md"),
        Page::Doctor => include_str!("../../../docs/doctor.md"),
    };
    print(text)
}
