//! Finds the images that a manifest needs.
//!
//! A text in a known place is an image: the `image` of a container; a field, variable
//! or flag whose name says image; an image in parts, such as `{repository: …, tag:
//! …}`; a text with host, path and tag as an argument, a variable or a value of a
//! custom resource. YAML inside a ConfigMap is read in the same way. The schemas of
//! CustomResourceDefinitions, labels, annotations and descriptions are not places for
//! images. Any other text that looks like an image is a guess, which a person must
//! judge. Outside of a container, a text without a tag is a guess too, because a
//! program usually adds the tag.

mod found;
mod naming;
mod parts;
mod place;
mod shape;
mod walk;

pub use found::{Discovery, Found, Guess};
pub use walk::{discover, discover_in};
