//! The keys of a target's repositories, as its nodes are to have them.

use anyhow::{Context, bail};
use bundle_format::lock::{FileKind, LockedFile};

use super::{Upstreams, files};
use crate::page;
use crate::rpm::key::{Keyring, MAX_KEY};
use crate::spec::{SpecFile, Target};

/// What one repository may be signed with.
pub(crate) struct RepositoryKeys {
    pub(super) keyring: Keyring,
    /// What the bundle carries of it: the vendors' own files, unless another copy
    /// of a key says more or rpm cannot import the file. A node's rpm keeps the
    /// first copy that it meets, and takes armored keys only.
    pub(super) files: Vec<LockedFile>,
}

/// Reads the keys of each repository of a target, in their order, and leaves in
/// the cache what the bundle is to carry.
pub(crate) fn read(
    file: &SpecFile,
    target: &Target,
    upstreams: &Upstreams,
) -> anyhow::Result<Vec<RepositoryKeys>> {
    let mut all = Keyring::default();
    let mut read = Vec::new();
    let mut problems = Vec::new();
    for repository in &target.repositories {
        let id = &repository.id.value;
        let mut keyring = Keyring::default();
        let mut copies = Vec::new();
        for source in &repository.keys {
            let mut take = || -> anyhow::Result<Vec<u8>> {
                let bytes = files::read_location(file, upstreams, source, MAX_KEY)
                    .with_context(|| format!("reading the key {source}"))?;
                page::refuse(source, &bytes)?;
                keyring.add(source, &bytes)?;
                Ok(bytes)
            };
            match take() {
                Ok(bytes) => copies.push((source, bytes)),
                Err(error) => problems.push(format!("reading repository `{id}`: {error:#}")),
            }
        }
        all.unite(&keyring);
        read.push((id, keyring, copies));
    }
    if !problems.is_empty() {
        bail!("{}", problems.join(&format!("\ntarget {}: ", target.id())));
    }
    let mut keys = Vec::new();
    for (id, mut keyring, copies) in read {
        // A node has one rpm: what one repository knows of a key holds for all.
        keyring.learn(&all);
        let mut files = Vec::new();
        for (index, (source, bytes)) in copies.into_iter().enumerate() {
            let bytes = keyring.united(&bytes)?.unwrap_or(bytes);
            let title = format!("keys/{}/{id}-{}.asc", target.id(), index + 1);
            files.push(files::keep(upstreams, FileKind::Key, title, source, &bytes)?);
        }
        keys.push(RepositoryKeys { keyring, files });
    }
    Ok(keys)
}
