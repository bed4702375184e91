//! A bundle whose blobs are elsewhere, such as in a registry.

use std::path::Path;

use super::error::BundleError;
use super::far::{Far, OpenBlob};
use super::outline::Outline;
use super::reader::{Archive, Bundle};
use super::repaired::Repaired;
use super::storage::Storage;
use crate::lock::Descriptor;
use crate::signature::Signed;

impl Bundle {
    /// The bundle with this outline at `address`, such as a registry's. `open` reads its blobs,
    /// except those of which `documents` are the bytes. The caller has checked who `signed` it.
    pub fn far(
        address: &str,
        outline: &Outline,
        documents: &[(Descriptor, Vec<u8>)],
        signed: Option<Signed>,
        open: Box<OpenBlob>,
    ) -> Result<Self, BundleError> {
        let far = Far::new(&outline.layout, documents, open).map_err(|error| {
            BundleError::Document { document: "lock", reason: error.to_string() }
        })?;
        let archive = Archive::open(Repaired::plain(Storage::far(address, far)))?;
        Self::of(Path::new(address), archive, |_| Ok(signed.clone()))
    }

    /// Where it is, if that is no file.
    pub fn address(&self) -> Option<&str> {
        self.storage().files().address()
    }
}
