//! `installer schema`.

use anyhow::Context;
use bundle_format::cluster;
use bundle_format::text::plain_json;

use super::output::print;

/// Prints the cluster file's JSON Schema, as `bundler schema --cluster` does.
pub(crate) fn schema() -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(&cluster::schema()).context("writing the schema")?;
    print(&plain_json(&format!("{text}\n")))
}
