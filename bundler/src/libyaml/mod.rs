//! YAML as libyaml's family reads it: kubectl's manifests, and dnf's module
//! documents. What people write for us is read by `bundle-format`'s `yaml`.

pub mod document;
mod fault;
mod json;
pub mod node;
mod parse;
mod stand_in;
mod stream;
pub mod value;
