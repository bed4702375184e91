//! `bundler schema`: prints the JSON Schema of the files that people write.

use bundle_format::cluster;
use clap::Args;

use super::print;
use crate::spec::schema::schema;

/// Prints the spec's JSON Schema, with which editors complete and check it
#[derive(Args)]
pub(super) struct Arguments {
    /// Print the schema of the installer's cluster file instead
    #[arg(long)]
    cluster: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let schema = if arguments.cluster { cluster::schema() } else { schema() };
    print::json(&format!("{}\n", serde_json::to_string_pretty(&schema)?))
}
