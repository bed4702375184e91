//! The signatures over images, by the keys that the spec names for them.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use bundle_format::input;
use bundle_format::lock::{Lock, LockedImage, LockedSignature};

use crate::image::cosign::{self, PublicKey};
use crate::spec::{Spec, SpecFile};
use crate::upstreams::Upstreams;

/// The spec's keys for images.
pub(super) struct ImageKeys<'a> {
    spec: &'a Spec,
    /// By their files.
    keys: BTreeMap<&'a str, PublicKey>,
}

/// The key for an image.
struct Wanted<'a> {
    /// The spec's entry: the beginning of the image's name.
    entry: &'a str,
    file: &'a str,
    key: &'a PublicKey,
}

impl<'a> ImageKeys<'a> {
    /// Reads the files that the spec names. The error has all problems.
    pub(super) fn read(file: &'a SpecFile) -> anyhow::Result<Self> {
        let (mut keys, mut problems) = (BTreeMap::new(), Vec::new());
        for (_, name) in file.spec.signatures.iter() {
            let path = file.beside(name);
            let key = input::file_text(&path, input::WRITTEN_BY_HAND)
                .map_err(anyhow::Error::from)
                .and_then(|text| Ok(PublicKey::from_pem(&text)?))
                .with_context(|| format!("reading the key {} for images", path.display()));
            match key {
                Ok(key) => drop(keys.insert(name, key)),
                Err(error) => problems.push(format!("{error:#}")),
            }
        }
        problems.dedup();
        if !problems.is_empty() {
            bail!("{}", problems.join("\n"));
        }
        Ok(Self { spec: &file.spec, keys })
    }

    fn of(&self, image: &LockedImage) -> Option<Wanted<'_>> {
        let (entry, file) = self.spec.signatures.of(&image.name, &image.source)?;
        Some(Wanted { entry, file, key: self.keys.get(file)? })
    }

    /// Gives an image the signature that it must have. One from the lock before stays, if
    /// it counts.
    pub(super) fn sign(
        &self,
        upstreams: &Upstreams,
        image: &mut LockedImage,
    ) -> anyhow::Result<()> {
        let before = image.signature.take();
        let Some(Wanted { entry, file, key }) = self.of(image) else { return Ok(()) };
        let root = image.root.digest;
        let counts = |own: &LockedSignature| {
            own.key_file == file && cosign::check(own, root).is_ok_and(|by| by == *key)
        };
        image.signature = before.filter(counts);
        if image.signature.is_some() {
            return Ok(());
        }
        let found = match upstreams.puller.signature(&image.source, root, key) {
            Ok(found) => found,
            Err(error) => bail!(
                "no signature of the key {file} counts for {root}{error}\n  let the key's owner run \
                 `cosign sign --key FILE {}@{root}` (cosign 2), or leave `{entry}` out of `signatures`",
                image.source.name()
            ),
        };
        image.signature = Some(key.locked(file, &found.payload, &found.signature));
        Ok(())
    }
}

/// What is wrong with the signatures in a lock, by the spec's own keys.
pub(super) fn misfits(file: &SpecFile, lock: &Lock) -> Vec<String> {
    let keys = match ImageKeys::read(file) {
        Ok(keys) => keys,
        Err(error) => return vec![format!("{error:#}")],
    };
    let wrong = |image: &LockedImage| {
        let (wanted, own) = (keys.of(image), image.signature.as_ref());
        Some(match (wanted, own) {
            (None, None) => return None,
            (None, Some(_)) => "it has a signature, and the spec names no key for it".to_owned(),
            (Some(wanted), None) => format!("it has no signature of the key {}", wanted.file),
            (Some(Wanted { file, key, .. }), Some(own)) => {
                match cosign::check(own, image.root.digest) {
                    Ok(of_lock) if of_lock == *key && own.key_file == file => return None,
                    Ok(_) => format!("its signature is not by the key {file}"),
                    Err(refusal) => format!("its signature does not count: {refusal}"),
                }
            }
        })
    };
    let images = lock.images.iter();
    images.filter_map(|image| Some(format!("image {}: {}", image.name, wrong(image)?))).collect()
}

/// A line for each entry of the spec that no image of the lock needs. It may be misspelt,
/// and then nothing is checked.
pub(super) fn unused(spec: &Spec, lock: &Lock) -> Vec<String> {
    let images = lock.images.iter().chain(lock.hops.iter().flat_map(|hop| &hop.images));
    let used: Vec<&str> = images
        .filter_map(|image| Some(spec.signatures.of(&image.name, &image.source)?.0))
        .collect();
    let unused = spec.signatures.iter().filter(|(entry, _)| !used.contains(entry));
    unused
        .map(|(entry, _)| {
            format!(
                "`signatures`: no image is checked by the entry `{entry}`: write the beginning of \
                 a whole name, such as docker.io/calico, or leave it out"
            )
        })
        .collect()
}
