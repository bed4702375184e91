//! The spec's JSON Schema, for editors.

use bundle_format::yaml::published;
use serde_json::Value;

use super::root::FORMAT;

/// The schema. Each kind of text has a pattern, and each key an example.
pub fn schema() -> Value {
    let words = "What a bundle is to hold, as `bundler lock` and `bundler build` read it.";
    published(&FORMAT, "A spec of Kubeferry's bundler", words)
}

#[cfg(test)]
mod tests;
