//! Checks the signatures over images that a lock has, without a network.

use std::collections::{BTreeMap, HashSet};

use anyhow::bail;
use bundle_format::lock::Lock;

use crate::image::signer::{self, SignedBy};

/// How many images each key or identity has signed, with those of the hops, each image once.
/// Fails if a signature does not count.
pub fn check(lock: &Lock) -> anyhow::Result<BTreeMap<String, usize>> {
    let (mut signers, mut problems) = (BTreeMap::new(), Vec::new());
    let images = lock.images.iter().chain(lock.hops.iter().flat_map(|hop| &hop.images));
    let mut seen = HashSet::new();
    for image in images {
        let Some(signature) = &image.signature else { continue };
        if !seen.insert((image.root.digest, signature)) {
            continue;
        }
        match signer::check(signature, image.root.digest) {
            Ok(SignedBy::Key(key)) => {
                *signers.entry(format!("with the {key}")).or_default() += 1;
            }
            Ok(SignedBy::Identity(by)) => {
                *signers.entry(format!("by {}", by.signer())).or_default() += 1;
            }
            Err(why) => {
                problems.push(format!("image {}: its signature does not count: {why}", image.name));
            }
        }
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(signers)
}
