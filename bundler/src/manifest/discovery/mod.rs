//! Which images a manifest needs.
//!
//! What stands in a known place is a find: the `image` of a container; a field,
//! variable or flag whose name says image; an image in parts, such as
//! `{repository: …, tag: …}`; a text with host, path and tag as an argument, a
//! variable or a value of a custom resource. YAML inside a ConfigMap is read
//! like the rest. The schemas of CustomResourceDefinitions, labels, annotations
//! and descriptions are not places where images stand. Whatever else looks like
//! an image is a guess, for a person to judge; so is one that names no tag
//! outside a container, since a program mostly puts one behind it.

mod found;
mod naming;
mod parts;
mod place;
mod shape;
mod walk;

pub use found::{Discovery, Found, Guess};
pub use walk::{discover, discover_in};
