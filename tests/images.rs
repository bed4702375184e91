//! Discovery on the manifests that projects really publish.
#![allow(clippy::unwrap_used, reason = "a test ends where it finds something unexpected")]

use std::collections::BTreeSet;
use std::fs;

use bundle_format::ImageReference;
use bundler::manifest::discovery::discover;

#[path = "support/shared_data.rs"]
mod shared_data;

#[test]
fn is_exactly_right_on_published_manifests() {
    let Some(data) = shared_data::folder() else { return };
    let mut count = 0;
    for entry in fs::read_dir(data.join("manifests")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let truth = fs::read_to_string(data.join("images").join(format!("{stem}.txt"))).unwrap();
        let wanted: BTreeSet<ImageReference> =
            truth.lines().map(|line| line.parse().unwrap()).collect();
        let discovery = discover(stem, &fs::read_to_string(&path).unwrap()).unwrap();
        let found: BTreeSet<ImageReference> = discovery.images().into_keys().collect();
        assert_eq!(found, wanted, "{stem}; guesses {:?}", discovery.guesses);
        count += 1;
    }
    assert!(count >= 12);
}
