//! Inputs that are made by a grammar: broken bytes rarely get past the first characters
//! of a parser, so these have the structure that it looks for.

pub mod package;
mod scalar;
mod tree;
mod yaml;

use fastrand::Rng;

pub use yaml::file as manifests;

/// Makes an input.
pub type Grammar = fn(&mut Rng) -> Vec<u8>;

/// The grammar of a target's inputs, if it has one.
pub fn of(target: &str) -> Option<Grammar> {
    match target {
        "kubectl" => Some(manifests),
        "package_signature" => Some(package::odd),
        _ => None,
    }
}

fn one_of<T: Copy>(all: &[T], rng: &mut Rng) -> T {
    all[rng.usize(..all.len())]
}

/// Whether something is so that is so in one of `of` cases.
fn rarely(of: u32, rng: &mut Rng) -> bool {
    rng.u32(..of) == 0
}
