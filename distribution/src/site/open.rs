//! Opening a bundle where it is: each blob is read from the registry when somebody reads it.

use std::io::Read;
use std::sync::Arc;

use anyhow::Context;
use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::lock::Descriptor;
use bundle_format::signature::TrustedKeys;

use super::address::Address;
use super::found::{Found, find};
use super::registry::Site;
use super::stream::Stream;
use crate::registries::registry::Endpoint;

/// Opens the bundle at an address. With keys, one of them must have signed it. Only its
/// documents are read, and kept in memory. The address of the bundle that is returned has
/// the digest: opening that address gives the same bundle.
pub fn open(site: Site, address: &Address, keys: &TrustedKeys) -> anyhow::Result<Bundle> {
    let mut documents = Vec::new();
    let read = |endpoint: &Endpoint, what: &str, blob: &Descriptor| {
        let bytes = document(&site, endpoint, what, blob)?;
        documents.push((blob.clone(), bytes.clone()));
        Ok(bytes)
    };
    let Found { pinned, endpoint, outline, signed, .. } = find(&site, address, keys, read)?;
    let site = Arc::new(site);
    let open = move |blob: &Descriptor, from: u64| {
        let request = endpoint.blob(&blob.digest);
        let stream = Stream::open(Arc::clone(&site), request, blob.size, from)?;
        Ok(Box::new(stream) as Box<dyn Read + Send>)
    };
    Ok(Bundle::far(&pinned.to_string(), &outline, &documents, signed, Box::new(open))?)
}

/// The verified bytes of a small blob.
fn document(
    site: &Site,
    endpoint: &Endpoint,
    what: &str,
    blob: &Descriptor,
) -> anyhow::Result<Vec<u8>> {
    let found = site.document(&endpoint.blob(&blob.digest), blob.size)?;
    let bytes = found.with_context(|| format!("the registry does not have its {what}"))?.bytes;
    anyhow::ensure!(Digest::of(&bytes) == blob.digest, "its {what} has other bytes");
    Ok(bytes)
}
