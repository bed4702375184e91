//! What a run begins with: small files in `seeds/`, one folder a target, and what our
//! own programs write.

use std::fs;
use std::path::Path;

use fastrand::Rng;
use rpm::PackageBuilder;

use crate::{grammar, small_bundle, targets};

/// That of Sigstore's public instance.
const TRUSTED_ROOT: &[u8] = include_bytes!("../../../bundler/src/image/keyless/trusted_root.json");

/// The seeds of a target, sorted by the names of their files.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    paths.sort();
    let read = |path| fs::read(path).expect("a seed can be read");
    let own = own(target).into_iter().chain((target == "archive").then(small_bundle::delta));
    paths.into_iter().map(read).chain(own).chain(made(target)).collect()
}

/// Manifests by the grammar, which are broken further.
fn made(target: &str) -> Vec<Vec<u8>> {
    let count = if matches!(target, "discovery" | "patch") { 40 } else { 0 };
    let mut rng = Rng::with_seed(1);
    (0..count).map(|_| grammar::manifests(&mut rng)).collect()
}

/// What our own code writes, as the code is today.
fn own(target: &str) -> Option<Vec<u8>> {
    match target {
        "archive" => Some(small_bundle::bytes()),
        "bundle_patch" => Some(targets::good_patch()),
        "damage_map" => Some(targets::good_map().to_string().into_bytes()),
        "index" => Some(small_bundle::index()),
        "lock" => Some(small_bundle::lock()),
        "package_signature" => Some(grammar::package::good()),
        "parity" => Some(targets::good_parity()),
        "rpm_header" => Some(package()),
        "trusted_root" => Some(TRUSTED_ROOT.to_vec()),
        _ => None,
    }
}

/// A small package.
pub fn package() -> Vec<u8> {
    let mut bytes = Vec::new();
    PackageBuilder::new("small", "1.0", "MIT", "noarch", "a small package")
        .build()
        .and_then(|package| package.write(&mut bytes))
        .expect("it is a package");
    bytes
}
