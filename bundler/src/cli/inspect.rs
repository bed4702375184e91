//! `bundler inspect`: shows the content of a bundle or a lock.

use std::path::PathBuf;

use bundle_format::layout;
use clap::Args;

use super::held::Held;
use super::print;
use crate::inspect::summary::Summary;

/// Shows what a bundle or a lock holds
///
/// Of a bundle, it reads and checks only the index and the lock; `verify` checks
/// everything.
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
        return print::json(&String::from_utf8(layout::lock_bytes(lock)?)?);
    }
    print::data(&Summary { lock, bundle: held.bundle() }.to_string())
}
