//! `bundler schema`: the spec's JSON Schema.

use super::report;
use crate::spec::Spec;

pub(super) fn run() -> anyhow::Result<()> {
    let schema = schemars::schema_for!(Spec);
    report::json(&format!("{}\n", serde_json::to_string_pretty(&schema)?))
}
