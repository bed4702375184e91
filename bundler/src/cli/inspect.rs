//! `bundler inspect`: what a bundle holds.

use std::path::PathBuf;

use bundle_format::archive::reader::Bundle;
use bundle_format::layout;
use clap::Args;

use super::report;
use crate::bundle::summary::Summary;

/// Shows what a bundle holds
///
/// Only the index and the lock are read and checked; `verify` reads all.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts
    bundle: PathBuf,
    /// The lock as it is, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let bundle = Bundle::open(&arguments.bundle)?;
    if arguments.json {
        return report::json(&String::from_utf8(layout::lock_bytes(bundle.lock())?)?);
    }
    report::data(&Summary(&bundle).to_string())
}
