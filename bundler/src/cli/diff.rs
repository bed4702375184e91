//! `bundler diff`: what changed from one bundle to another.

use std::path::PathBuf;

use bundle_format::archive::reader::Bundle;
use clap::Args;

use super::report;
use crate::bundle::difference;

/// Shows what changed from one bundle to another
#[derive(Args)]
pub(super) struct Arguments {
    /// The bundle before
    a: PathBuf,
    /// The bundle after
    b: PathBuf,
    /// For programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let difference =
        difference::of_bundles(&Bundle::open(&arguments.a)?, &Bundle::open(&arguments.b)?);
    if arguments.json {
        return report::json(&format!("{}\n", serde_json::to_string_pretty(&difference)?));
    }
    report::data(&format!("{difference}\n"))
}
