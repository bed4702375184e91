//! A spec with the file that it came from, beside which are the files that it names.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::Digest;
use url::Url;

use super::root::Spec;

/// A spec with the file that it came from.
#[derive(Debug)]
pub struct SpecFile {
    /// Where it is.
    pub path: PathBuf,
    /// The digest of its bytes.
    pub digest: Digest,
    /// What it says.
    pub spec: Spec,
}

impl SpecFile {
    /// A file that the spec names, beside the spec itself.
    pub fn beside(&self, file: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }

    /// The URL of what the spec names: a URL as it is, or a file beside the spec.
    pub fn location(&self, text: &str) -> anyhow::Result<Url> {
        if text.contains("://") {
            return Url::parse(text).with_context(|| format!("reading the URL {text}"));
        }
        let path =
            std::path::absolute(self.beside(text)).with_context(|| format!("finding {text}"))?;
        match Url::from_file_path(&path) {
            Ok(url) => Ok(url),
            Err(()) => bail!("{} cannot be written as a URL", path.display()),
        }
    }
}
