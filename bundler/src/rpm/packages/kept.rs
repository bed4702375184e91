//! The compact form in the cache: one file for each repository, so that newer metadata
//! replaces older. Behind the form, the file says what it was made from, and has its own
//! checksum. A file that is damaged, or was made from something else, counts as none.

use std::io::{self, Read};
use std::path::PathBuf;

use bundle_format::{Digest, input};
use url::Url;

use super::list::Packages;
use crate::fetch::Fetch;
use crate::fetch::cache::Cache;
use crate::fetch::checksum::Checksum;

/// The version of the form. It is another one whenever the form changes, or what is read
/// from the same metadata.
const VERSION: u32 = 1;

/// The largest form that is kept, in bytes. That of a repository of 60,000 packages has 45 MB.
const MAX_SIZE: u64 = 256 << 20;

/// The bytes of the two digests at the end of a file, in hex.
const END: usize = 2 * 64;

/// Where the packages of a repository are kept.
pub(in crate::rpm) struct Kept<'a> {
    cache: &'a Cache,
    path: PathBuf,
    /// What decides which packages these are.
    made_from: Digest,
    base: &'a Url,
}

impl<'a> Kept<'a> {
    /// The place for the packages that a `primary.xml` with this checksum has, in the
    /// repository at `base`. `None` if nothing is kept.
    pub(in crate::rpm) fn of(
        fetch: &'a dyn Fetch,
        base: &'a Url,
        primary: &Checksum,
    ) -> Option<Self> {
        let cache = fetch.cache()?;
        let name = Digest::of(base.as_str().as_bytes()).hex();
        Some(Self {
            cache,
            path: cache.folder().join("packages").join(name),
            made_from: Digest::of(format!("{VERSION}\n{primary}\n{base}").as_bytes()),
            base,
        })
    }

    /// The packages, if they are kept and whole.
    pub(in crate::rpm) fn read(&self) -> Option<Packages> {
        let mut bytes = self.bytes().ok()?;
        let end = bytes.len().checked_sub(END)?;
        let (form, digests) = bytes.split_at(end);
        // The second digest is of many bytes, so it is computed only for the right file.
        let is_own = digests.starts_with(self.made_from.hex().as_bytes());
        if !is_own || digests != self.end(form).as_bytes() {
            return None;
        }
        bytes.truncate(end);
        Packages::open(bytes, self.base.clone())
    }

    /// Keeps the packages. If that fails, they are parsed again the next time.
    pub(in crate::rpm) fn write(&self, packages: &Packages) {
        let form = packages.bytes();
        if form.len() as u64 > MAX_SIZE {
            return;
        }
        drop(self.cache.note_parts(&self.path, &[form, self.end(form).as_bytes()]));
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let file = input::open(&self.path)?;
        let most = MAX_SIZE + END as u64;
        let size = file.metadata()?.len().min(most);
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn end(&self, form: &[u8]) -> String {
        format!("{}{}", self.made_from.hex(), Digest::of(form).hex())
    }
}
