//! Finding a bundle in a registry: what must be right before anything of it counts.

use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use bundle_format::archive::documents::bundle_manifest;
use bundle_format::archive::outline::Outline;
use bundle_format::lock::Descriptor;
use bundle_format::signature::{self, Signed, TrustedKeys};
use bundle_format::{Digest, ImageReference};

use super::address::Address;
use super::registry::Site;
use super::{artifact, referrers};
use crate::registries::registry::{Endpoint, MANIFEST_LIMIT};

/// A bundle in a registry, of which the documents were read.
pub struct Found {
    /// The address, with the digest that the tag has now.
    pub pinned: Address,
    /// The repository that has it.
    pub endpoint: Endpoint,
    /// What it is.
    pub outline: Outline,
    /// The signature that counts, if it has one.
    pub signature: Option<String>,
    /// Who signed it; none if no key is trusted.
    pub signed: Option<Signed>,
}

/// Finds the bundle at an address. With keys, one of them must have signed it: that is
/// checked before any document of the bundle is read. `read` gives the verified bytes of a
/// blob, and gets words that say what it is.
pub fn find(
    site: &Site,
    address: &Address,
    keys: &TrustedKeys,
    mut read: impl FnMut(&Endpoint, &str, &Descriptor) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<Found> {
    let endpoint = site.endpoint(&address.0)?;
    let request = endpoint.manifest(&address.name());
    let document = site.document(&request, MANIFEST_LIMIT)?;
    let bytes = document
        .with_context(|| format!("{address} is not there: check the name and the tag"))?
        .bytes;
    let digest = Digest::of(&bytes);
    check_digest(&address.0, digest)?;
    let index = artifact::index(&bytes).with_context(|| address.to_string())?;
    let index = read(&endpoint, artifact::INDEX_NAME, &index)?;
    let signatures = referrers::signatures(site, &endpoint, digest);
    let (signature, signed) = chosen(signatures, address, &index, keys)?;
    let of_bundle = |what: &'static str, blob: &Descriptor, most: u64| match blob.size > most {
        true => Err(anyhow!("its {what} would have {} bytes", blob.size)),
        false => read(&endpoint, what, blob),
    };
    let outline = bundle_manifest(&index)?
        .map(|manifest| Outline::read(&manifest, of_bundle))
        .transpose()?
        .flatten()
        .filter(|outline| outline.layout.index == index)
        .with_context(|| format!("{address}: its index.json is that of no bundle"))?;
    let pinned = Address(address.0.pinned(digest));
    Ok(Found { pinned, endpoint, outline, signature, signed })
}

fn check_digest(name: &ImageReference, found: Digest) -> anyhow::Result<()> {
    match name.digest() {
        Some(wanted) if wanted != found => bail!("{name} has the digest {found}"),
        _ => Ok(()),
    }
}

/// The signature that counts: with keys, one by one of them; without, the latest.
fn chosen(
    (mut texts, unread): (Vec<String>, Option<anyhow::Error>),
    address: &Address,
    index: &[u8],
    keys: &TrustedKeys,
) -> anyhow::Result<(Option<String>, Option<Signed>)> {
    texts.sort_by_key(|text| std::cmp::Reverse(time(text)));
    if keys.is_empty() {
        return Ok((texts.into_iter().next(), None));
    }
    let mut refused = None;
    for text in texts {
        let place = PathBuf::from(format!("its signature at {address}"));
        match signature::of_text(place, &text, index, keys) {
            Ok(signed) => return Ok((Some(text), Some(signed))),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match (refused, unread) {
        (Some(error), _) => Err(error.into()),
        (None, Some(error)) => bail!("reading the bundle's signatures: {error:#}"),
        (None, None) => bail!(
            "the bundle is not signed in the registry, and --trusted-key asks for it: sign it \
             with `bundler sign`, and push it again"
        ),
    }
}

/// The time in a signature's trusted comment, which `bundler sign` and minisign write.
fn time(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().find_map(|word| word.strip_prefix("timestamp:")?.parse().ok())
}
