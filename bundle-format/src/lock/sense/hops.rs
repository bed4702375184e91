//! Checks of hops: their order, and what they share with each other.

use std::collections::HashMap;

use crate::bounds::MAX_HOPS;
use crate::digest::Digest;
use crate::layout::names;
use crate::lock::document::{LOCK_VERSION, LOCK_VERSION_WITH_HOPS, Lock};
use crate::lock::file::FileKind;
use crate::problems::Problems;
use crate::reference::ImageReference;

pub(super) fn check(lock: &Lock, problems: &mut Problems) {
    let version = if lock.hops.is_empty() { LOCK_VERSION } else { LOCK_VERSION_WITH_HOPS };
    if lock.lock_version != version {
        problems.add(|| {
            format!(
                "its version is {}, and a lock with {} hops has version {version}",
                lock.lock_version,
                lock.hops.len()
            )
        });
    }
    if lock.hops.len() > MAX_HOPS {
        return problems.add(|| format!("it has more than {MAX_HOPS} hops"));
    }
    let targets = |all: &[crate::lock::LockedTarget]| -> Vec<String> {
        all.iter().map(|target| target.id.clone()).collect()
    };
    for (place, hop) in lock.hops.iter().rev().enumerate() {
        let (has, minor) = (&hop.kubernetes, lock.kubernetes.minor());
        let expected = u32::try_from(place + 1).ok().and_then(|back| minor.checked_sub(back));
        if expected != Some(has.minor()) {
            problems
                .add(|| format!("the hop {has} is not one minor release before what follows it"));
        }
        if targets(&hop.targets) != targets(&lock.targets) {
            problems.add(|| format!("the hop {has} is for other targets than the lock"));
        }
        if hop.files.iter().any(|file| file.kind != FileKind::Key) {
            problems.add(|| format!("the hop {has} has another file than keys"));
        }
        for words in lock.of_hop(hop).contradictions() {
            problems.add(|| format!("the hop {has}: {words}"));
        }
    }
    one_image_a_name(lock, problems);
}

/// On a node, a name stands for one image, whichever release brought it.
fn one_image_a_name(lock: &Lock, problems: &mut Problems) {
    let mut known: HashMap<ImageReference, Digest> = HashMap::new();
    let own = lock.images.iter().map(|image| (&lock.kubernetes, image));
    let of_hops =
        lock.hops.iter().flat_map(|hop| hop.images.iter().map(|image| (&hop.kubernetes, image)));
    for (kubernetes, image) in own.chain(of_hops) {
        for name in names(image) {
            let other = known.entry(name.clone()).or_insert(image.root.digest);
            if *other != image.root.digest {
                problems.add(|| {
                    format!(
                        "{name} of Kubernetes {kubernetes} is another image than of a later release"
                    )
                });
            }
        }
    }
}
