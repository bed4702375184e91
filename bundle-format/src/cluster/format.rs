//! The format of a cluster file, and its JSON Schema.

use std::sync::LazyLock;

use super::file::Cluster;
use super::kinds::KINDS;
use crate::yaml::{Format, published};

/// What a cluster file may contain.
pub static FORMAT: LazyLock<Format> =
    LazyLock::new(|| Format::of::<Cluster>("cluster file", &KINDS));

/// The JSON Schema of a cluster file, for editors.
pub fn schema() -> serde_json::Value {
    let words = "The cluster as its operator wants it, as `installer --config` reads it.";
    published(&FORMAT, "A cluster file of Kubeferry's installer", words)
}
