//! The images of a bundle in a registry, each under its own name and tag, so that nodes
//! can pull them: `registry.k8s.io/pause:3.9` is `HOST/PATH/registry.k8s.io/pause:3.9`.

use std::collections::HashSet;

use anyhow::{Context, bail};
use bundle_format::lock::LockedImage;
use bundle_format::oci::{Document, is_index};
use bundle_format::parallel;
use bundle_format::reference::usual_host;
use bundle_format::text::count;
use bundle_format::{Digest, ImageReference};

use super::blob::Blob;
use super::mirror::Mirror;
use super::queue::{Job, Tally, send};
use super::sessions::Sessions;
use super::tags::{self, Tag};
use super::task::Task;
use crate::fetch::REQUESTS;
use crate::image::pull::MANIFEST_LIMIT;
use crate::image::registry::Endpoint;

/// An image, and where it goes.
pub(super) struct Own<'a> {
    image: &'a LockedImage,
    name: ImageReference,
    endpoint: Endpoint,
    /// What its name may lead to: the first is its own root.
    roots: Vec<Root>,
    tag: Tag,
}

/// A manifest or index under an image's name.
#[derive(Clone)]
struct Root {
    media_type: String,
    bytes: Vec<u8>,
}

/// Pushes the images of all releases of a bundle, which is there already.
pub(super) fn push(
    task: &Task<'_>,
    images: &[Own<'_>],
    sessions: &Sessions,
    remarks: &mut Vec<String>,
) -> anyhow::Result<Tally> {
    let repository = task.address.0.repository();
    let mut jobs = Vec::new();
    let mut seen = HashSet::new();
    for own in images.iter().filter(|own| own.tag == Tag::Free) {
        for platform in &own.image.platforms {
            for blob in platform.layers.iter().chain([&platform.config]) {
                if seen.insert((own.name.name(), blob.digest)) {
                    let label = own.image.name.to_string();
                    let blob = Blob::of_bundle(task.bundle, blob, label);
                    let is_same = own.name.registry() == task.address.0.registry();
                    let from = is_same.then_some(repository);
                    jobs.push(Job { blob, endpoint: &own.endpoint, from });
                }
            }
        }
    }
    let mut tally = send(task.site, sessions, jobs, "pushing images", task.quiet)?;
    let results = parallel::each(images, REQUESTS, |own| match own.tag {
        Tag::Same => Ok(None),
        Tag::Free => name(task, own).map(Some).with_context(|| format!("image {}", own.image.name)),
    });
    let (mut problems, mut changed) = (Vec::new(), Vec::new());
    for (own, result) in images.iter().zip(results) {
        match result {
            Ok(None) => {}
            Ok(Some(digest)) => {
                tally.named += 1;
                if digest != own.image.root.digest {
                    changed.push(own.image.name.to_string());
                }
            }
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    if !changed.is_empty() {
        remarks.push(format!(
            "the registry takes no index that names other platforms too, so the tags of {} name \
             only what the bundle has of them; their index is not there by its digest: {}",
            count(changed.len(), "image"),
            changed.join(", ")
        ));
    }
    Ok(tally)
}

/// All images, and what their tags name now. The error has all tags that name something
/// else.
pub(super) fn look<'a>(task: &Task<'a>, mirror: &Mirror) -> anyhow::Result<Vec<Own<'a>>> {
    let lock = task.bundle.lock();
    let mut seen = HashSet::new();
    let all = lock.images.iter().chain(lock.hops.iter().flat_map(|hop| &hop.images));
    let all: Vec<&LockedImage> = all.filter(|image| seen.insert(&image.name)).collect();
    let found = parallel::each(&all, REQUESTS, |image| -> anyhow::Result<Own<'a>> {
        let name = mirror.name_of(&image.name)?;
        if is_same(&name, &task.address.0) {
            bail!(
                "image {} would get the name of the bundle, {}: choose another tag for the \
                 bundle, or another path for --images-to",
                image.name,
                task.address
            );
        }
        let endpoint = task.site.endpoint(&name)?;
        let roots = roots(task, image)?;
        let wanted: Vec<Digest> = roots.iter().map(|root| Digest::of(&root.bytes)).collect();
        let mut tag = tags::look(task.site, &endpoint, &name_there(&name), &wanted, task.replace)?;
        // An index may be there with the platforms of another bundle only.
        for manifest in image.platforms.iter().map(|platform| &platform.manifest.digest) {
            let request = endpoint.manifest(&manifest.to_string());
            if tag == Tag::Same && task.site.document(&request, MANIFEST_LIMIT)?.is_none() {
                tag = Tag::Free;
            }
        }
        Ok(Own { image, name, endpoint, roots, tag })
    });
    let (mut images, mut problems) = (Vec::new(), Vec::new());
    for result in found {
        match result {
            Ok(own) => images.push(own),
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(images)
}

/// Whether two names are of one tag.
fn is_same(one: &ImageReference, other: &ImageReference) -> bool {
    let place = |name: &ImageReference| {
        (usual_host(name.registry()), name.repository().to_owned(), name_there(name))
    };
    place(one) == place(other)
}

/// The tag or the digest.
fn name_there(name: &ImageReference) -> String {
    match (name.tag(), name.digest()) {
        (Some(tag), _) => tag.to_owned(),
        (None, Some(digest)) => digest.to_string(),
        (None, None) => "latest".to_owned(),
    }
}

/// What the tag of an image may name: its root; and for a registry that takes no index of
/// which it has only a part, the one manifest, or the index of those that it has.
fn roots(task: &Task<'_>, image: &LockedImage) -> anyhow::Result<Vec<Root>> {
    let root = Root {
        media_type: image.root.media_type.to_string(),
        bytes: task.bundle.read(&image.root)?,
    };
    if !is_index(&root.media_type) {
        return Ok(vec![root]);
    }
    let part = match image.platforms.as_slice() {
        [only] => Root {
            media_type: only.manifest.media_type.to_string(),
            bytes: task.bundle.read(&only.manifest)?,
        },
        several => Root {
            media_type: root.media_type.clone(),
            bytes: part_of(&root.bytes, several.iter().map(|one| one.manifest.digest))?,
        },
    };
    Ok(vec![root, part])
}

/// The index with these manifests only.
fn part_of(index: &[u8], manifests: impl Iterator<Item = Digest>) -> anyhow::Result<Vec<u8>> {
    let mut index: Document = serde_json::from_slice(index)?;
    let has: HashSet<String> = manifests.map(|digest| digest.to_string()).collect();
    index.manifests.iter_mut().for_each(|all| all.retain(|entry| has.contains(&entry.digest)));
    Ok(serde_json::to_vec(&index)?)
}

/// Puts an image's manifests, and gives it its name. Gives the digest that the name has.
fn name(task: &Task<'_>, own: &Own<'_>) -> anyhow::Result<Digest> {
    let Task { site, bundle, .. } = *task;
    for platform in &own.image.platforms {
        let manifest = &platform.manifest;
        if manifest.digest != own.image.root.digest {
            let bytes = bundle.read(manifest)?;
            let digest = manifest.digest.to_string();
            tags::put(site, &own.endpoint, &digest, &manifest.media_type, &bytes)?;
        }
    }
    let name = name_there(&own.name);
    let mut refused = None;
    for root in &own.roots {
        // A name that is a digest is that of the first one only.
        if refused.is_some() && own.name.tag().is_none() {
            break;
        }
        match tags::try_to_put(site, &own.endpoint, &name, &root.media_type, &root.bytes)? {
            Ok(_) => return Ok(Digest::of(&root.bytes)),
            Err(error) => refused = Some(error),
        }
    }
    let why = "the bundle has only some of its platforms, and this registry takes it whole only";
    match refused {
        Some(error) if own.name.tag().is_none() => Err(error.context(why)),
        Some(error) => Err(error),
        None => bail!("it has no manifest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_an_index_keeps_its_entries_as_they_are() {
        let [amd, arm, s390] = [b"amd", b"arm", b"390"].map(|bytes| Digest::of(bytes));
        let entry = |digest: Digest, architecture: &str| {
            format!(
                r#"{{"mediaType":"m","digest":"{digest}","size":3,"platform":{{"os":"linux","architecture":"{architecture}","variant":"v8"}}}}"#
            )
        };
        let (first, last) = (entry(amd, "amd64"), entry(arm, "arm64"));
        let index = |entries: &[&String]| {
            let entries: Vec<&str> = entries.iter().map(|entry| entry.as_str()).collect();
            format!(r#"{{"schemaVersion":2,"mediaType":"i","manifests":[{}]}}"#, entries.join(","))
        };
        let whole = index(&[&first, &entry(s390, "s390x"), &last]);
        let part = part_of(whole.as_bytes(), [arm, amd].into_iter()).unwrap();
        assert_eq!(String::from_utf8(part).unwrap(), index(&[&first, &last]));
    }
}
