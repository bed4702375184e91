//! The spec's JSON Schema, as editors read it.

use bundle_format::yaml::published;
use serde_json::Value;

use super::root::FORMAT;

/// The schema: each kind of text by a pattern, each key with an example.
pub fn schema() -> Value {
    let words = "What a bundle is to hold, as `bundler lock` and `bundler build` read it.";
    published(&FORMAT, "A spec of Kubeferry's bundler", words)
}

#[cfg(test)]
mod tests;
