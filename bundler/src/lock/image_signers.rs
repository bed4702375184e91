//! The signatures over images, by those whom the spec names for them.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use bundle_format::input;
use bundle_format::lock::{Lock, LockedImage, LockedSignature};

use crate::image::keyless::TrustedRoot;
use crate::image::public_key::PublicKey;
use crate::image::signer::Signer;
use crate::spec::{self, Spec, SpecFile};
use crate::upstreams::Upstreams;

/// Who must have signed images, with the files that the spec names.
pub(super) struct ImageSigners<'a> {
    spec: &'a Spec,
    /// By their entries in the spec.
    signers: BTreeMap<&'a str, Signer>,
}

impl<'a> ImageSigners<'a> {
    /// Reads the files that the spec names. The error has all problems.
    pub(super) fn read(file: &'a SpecFile) -> anyhow::Result<Self> {
        let (mut signers, mut problems) = (BTreeMap::new(), Vec::new());
        for (entry, own) in file.spec.signatures.iter() {
            match signer(file, own) {
                Ok(signer) => drop(signers.insert(entry, signer)),
                Err(error) => {
                    let place = file.signature_places.get(entry);
                    let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
                    problems.push(format!("{place}{error:#}"));
                }
            }
        }
        problems.dedup();
        if !problems.is_empty() {
            bail!("{}", problems.join("\n"));
        }
        Ok(Self { spec: &file.spec, signers })
    }

    /// Who must have signed an image, with the spec's entry: the beginning of the image's name.
    fn of(&self, image: &LockedImage) -> Option<(&str, &Signer)> {
        let (entry, _) = self.spec.signatures.of(&image.name, &image.source)?;
        Some((entry, self.signers.get(entry)?))
    }

    /// Gives an image the signature that it must have. One from the lock before stays, if
    /// it counts.
    pub(super) fn sign(
        &self,
        upstreams: &Upstreams,
        image: &mut LockedImage,
    ) -> anyhow::Result<()> {
        let before = image.signature.take();
        let Some((entry, signer)) = self.of(image) else { return Ok(()) };
        let root = image.root.digest;
        let counts =
            |own: &LockedSignature| signer.is_named_as_in(own) && signer.check(own, root).is_ok();
        image.signature = before.filter(counts);
        if image.signature.is_some() {
            return Ok(());
        }
        let found = upstreams.puller.signature(&image.source, root, signer);
        let signature = found.map_err(|error| {
            let cure = cure(signer, &format!("{}@{root}", image.source.name()));
            anyhow::anyhow!(
                "no signature of {signer} counts for {root}{error}\n  {cure}, or leave `{entry}` \
                 out of `signatures`"
            )
        })?;
        image.signature = Some(signature);
        Ok(())
    }
}

/// Reads what the spec says of a signer.
fn signer(file: &SpecFile, own: &spec::Signer) -> anyhow::Result<Signer> {
    match own {
        spec::Signer::Key(name) => {
            let path = file.beside(name);
            let key = input::file_text(&path, input::WRITTEN_BY_HAND)
                .map_err(anyhow::Error::from)
                .and_then(|text| Ok(PublicKey::from_pem(&text)?))
                .with_context(|| format!("reading the key {} for images", path.display()))?;
            Ok(Signer::Key { file: name.clone(), key })
        }
        spec::Signer::Identity(spec::Identity { identity, issuer, trusted_root }) => {
            let root = trusted_root.as_ref().map(|name| {
                let path = file.beside(name);
                input::file(&path, input::WRITTEN_BY_HAND)
                    .map_err(anyhow::Error::from)
                    .and_then(|text| Ok(TrustedRoot::parse(&text)?))
                    .with_context(|| format!("reading the trusted root {}", path.display()))
            });
            let (identity, issuer) = (identity.clone(), issuer.clone());
            Ok(Signer::Identity { identity, issuer, root: root.transpose()? })
        }
    }
}

/// What helps if an image has no signature of a signer's.
fn cure(signer: &Signer, image: &str) -> String {
    match signer {
        Signer::Key { .. } => {
            format!("let the key's owner run `cosign sign --key FILE {image}`")
        }
        Signer::Identity { .. } => {
            "compare `identity` and `issuer` with what the image's maker publishes".to_owned()
        }
    }
}

/// What is wrong with the signatures in a lock, by the spec's own signers.
pub(super) fn misfits(file: &SpecFile, lock: &Lock) -> Vec<String> {
    let signers = match ImageSigners::read(file) {
        Ok(signers) => signers,
        Err(error) => return vec![format!("{error:#}")],
    };
    let wrong = |image: &LockedImage| {
        let (wanted, own) = (signers.of(image), image.signature.as_ref());
        Some(match (wanted, own) {
            (None, None) => return None,
            (None, Some(_)) => "it has a signature, and the spec names no signer for it".to_owned(),
            (Some((_, signer)), None) => format!("it has no signature of {signer}"),
            (Some((_, signer)), Some(own)) => match signer.check(own, image.root.digest) {
                Ok(()) if signer.is_named_as_in(own) => return None,
                Ok(()) => format!("its signature is not by {signer}"),
                Err(refusal) => format!("its signature is not by {signer} because {refusal}"),
            },
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
