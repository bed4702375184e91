//! `bundler inspect`: what a bundle or a lock holds.

use std::path::PathBuf;

use bundle_format::layout;
use clap::Args;

use super::held::Held;
use super::report;
use crate::inspect::summary::Summary;

/// Shows what a bundle or a lock holds
///
/// It reads and checks only a bundle's index and lock; `verify` reads everything.
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle, or any of its parts; a lock, or the spec beside it
    bundle: PathBuf,
    /// Print the whole lock as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let held = Held::open(&arguments.bundle)?;
    let lock = held.lock();
    if arguments.json {
        return report::json(&String::from_utf8(layout::lock_bytes(lock)?)?);
    }
    report::data(&Summary { lock, bundle: held.bundle() }.to_string())
}
