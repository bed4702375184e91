//! YAML as libyaml and its relatives read it: kubectl's manifests, and dnf's module
//! documents. The YAML that people write for us is read by `bundle-format`'s `yaml`.

pub mod document;
mod fault;
mod json;
pub mod node;
mod parse;
mod scalar;
mod stand_in;
mod stream;
pub mod value;
