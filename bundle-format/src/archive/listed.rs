//! Every blob that a bundle lists, with words that say what it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reader::Bundle;
use crate::digest::Digest;
use crate::lock::{Descriptor, LockedImage};

/// Blobs by digest and size, with words that say what they are.
pub(super) type Listed<'a> = BTreeMap<(Digest, u64), (&'a Descriptor, Arc<str>)>;

/// Every blob that the index, the bundle manifest or the lock names, with words that
/// say what it is. A blob that is named with two sizes is in it twice, because one of
/// the sizes must be wrong.
pub(super) fn listed(bundle: &Bundle) -> Listed<'_> {
    let mut listed = BTreeMap::new();
    for content in bundle.whole().1 {
        add(&mut listed, &content.descriptor, &content.path.to_string().into());
    }
    for image in images(bundle) {
        let name = image.name.to_string().into();
        for document in std::iter::once(&image.root).chain(&image.unplaced) {
            add(&mut listed, document, &name);
        }
        for platform in &image.platforms {
            add(&mut listed, &platform.manifest, &name);
            add(&mut listed, &platform.config, &name);
            for layer in &platform.layers {
                add(&mut listed, layer, &name);
            }
        }
    }
    add(&mut listed, bundle.manifest_blob(), &"the bundle manifest".into());
    add(&mut listed, bundle.lock_blob(), &"the lock".into());
    listed
}

/// All images, of all releases.
pub(super) fn images(bundle: &Bundle) -> impl Iterator<Item = &LockedImage> {
    let (lock, _) = bundle.whole();
    lock.images.iter().chain(lock.hops.iter().flat_map(|hop| &hop.images))
}

/// What a blob is: a file's title or an image's name. This goes through all of them, so it is
/// for errors only.
pub(super) fn subject(bundle: &Bundle, blob: &Descriptor) -> Arc<str> {
    let found = listed(bundle).remove(&(blob.digest, blob.size));
    found.map_or_else(|| "a blob that nothing lists".into(), |(_, subject)| subject)
}

fn add<'a>(listed: &mut Listed<'a>, blob: &'a Descriptor, subject: &Arc<str>) {
    listed.entry((blob.digest, blob.size)).or_insert_with(|| (blob, Arc::clone(subject)));
}
